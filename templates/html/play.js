// The part of the page where one plays. It is made here, so that without JavaScript there is nothing of it.
const SPACE = "http://www.w3.org/2000/svg";

// An element with attributes and children; text is only ever text.
function make(tag, attributes = {}, ...children) {
  const found = tag.startsWith("svg:") ? document.createElementNS(SPACE, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
    else if (value !== null) found.setAttribute(name, value);
  }
  found.append(...children);
  return found;
}

// An element around markup that our own program wrote.
function marked_up(tag, markup, attributes = {}) {
  const found = make(tag, attributes);
  found.innerHTML = markup;
  return found;
}

const fill = (text, ...parts) => text.replace(/\{(\d)\}/g, (_, k) => parts[k]);
const state = { settings: given(program), steps: [], step: 0, stage: 0, faults: new Map() };
const defaults = JSON.stringify(given(program));
const MOST_STEPS = 500;

// --- what is worked, quantity by quantity ---------------------------------------------------------------

const stages = [];
for (const part of ["forward", "backward", "update"]) {
  for (const eq of program[part]) {
    const known = stages.find((stage) => stage.name === eq.name);
    if (known) known.equations.push(eq);
    else stages.push({ part, name: eq.name, equations: [eq] });
  }
}
const slope = (name) => `d${program.loss}/d${name}`;
const nodeOf = ({ name, part }) =>
  part === "backward" && name.startsWith(slope("")) ? name.slice(slope("").length) : name.replace(/'+$/, "");

// --- controls -------------------------------------------------------------------------------------------

function numberIn(text) {
  const plain = text.trim().replace("−", "-").replace(program.format.decimal, ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

let fields = 0;
function field(label, value, accept, use, id = null) {
  const key = `play-${(fields += 1)}`;
  const input = make("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", id: id || key,
    "aria-describedby": "play-fault",
    oninput() {
      const found = numberIn(input.value);
      const fault = Number.isFinite(found) ? accept(found) : fill(words.number, input.value);
      input.setAttribute("aria-invalid", String(Boolean(fault)));
      if (fault) state.faults.set(key, fault);
      else {
        state.faults.delete(key);
        use(found);
      }
      run();
    },
  });
  input.value = String(value).replace(".", program.format.decimal);
  const said = typeof label === "string" ? [label] : [label.before || "", marked_up("span", math(label.math))];
  if (said.length > 1) said[1].firstElementChild.setAttribute("aria-label", label.called);
  return make("label", { for: input.id }, ...said, input);
}

// The learning rate by hand: from a hundredth of that of the page to a hundred times as much.
function slider(base) {
  const shown = make("input", {
    type: "range", id: "play-slide", min: -2, max: 2, step: 0.02, "aria-label": words.rate, autocomplete: "off",
    oninput() {
      const input = document.querySelector("#play-lr");
      input.value = String(Number((base * 10 ** Number(shown.value)).toPrecision(3))).replace(".", program.format.decimal);
      shown.setAttribute("aria-valuetext", input.value);
      input.dispatchEvent(new Event("input"));
    },
  });
  shown.value = "0";
  shown.setAttribute("aria-valuetext", plain(base));
  return shown;
}

const whole = (most) => (value) =>
  Number.isInteger(value) && value >= 1 && value <= most ? "" : fill(words.whole, most);
const small = (value) => (Math.abs(value) <= 1e100 ? "" : words.large);

function arrayFields(table, settings) {
  return Object.entries(table).flatMap(([name, array]) =>
    positions(array.shape).map((at, k) =>
      field({ math: program.entries[name](at), called: program.inputs[name][k] }, settings[name][k], small, (value) => (settings[name][k] = value)),
    ),
  );
}

function controls() {
  const { settings } = state;
  const knobs = Object.entries(settings.hyper).flatMap(([name, value]) => {
    const said = { math: program.entries[name]([]), called: program.inputs[name][0] };
    if (name === "lr") said.before = `${words.rate} `;
    const shown = field(said, value, small, (found) => (settings.hyper[name] = found), name === "lr" ? "play-lr" : null);
    return name === "lr" && value > 0 ? [shown, slider(value)] : [shown];
  });
  if (program.samples && program.size !== null) {
    knobs.push(field(words.size, settings.size, whole(program.samples), (found) => (settings.size = found), "play-size"));
  }
  if (program.update.length) {
    const most = program.orders.length > 1 ? program.orders.length : 100;
    knobs.push(field(words.epochs, settings.epochs, whole(most), (found) => (settings.epochs = found), "play-epochs"));
  }
  const start = arrayFields(program.start, settings.start);
  const free = Object.fromEntries(Object.entries(program.data).filter(([name]) => !program.fixed.includes(name)));
  const data = arrayFields(free, settings.data);
  const box = (legend, inside) => make("fieldset", {}, make("legend", {}, legend), make("div", { class: "inputs" }, ...inside));
  const folded = (legend, inside) => make("details", {}, make("summary", {}, legend), make("div", { class: "inputs" }, ...inside));
  const shown = make("div", { class: "controls" }, ...(knobs.length ? [box(words.knobs, knobs)] : []));
  shown.append(start.length > 8 ? folded(words.start, start) : box(words.start, start));
  if (data.length && data.length <= 60) shown.append(folded(words.data, data));
  shown.append(make("button", { type: "button", id: "play-reset", onclick: reset }, words.reset));
  return shown;
}

function reset() {
  state.settings = given(program);
  state.faults.clear();
  state.step = state.stage = 0;
  document.querySelector("#play .controls").replaceWith(controls());
  run();
  document.querySelector("#play-reset").focus();
}

// --- a step ---------------------------------------------------------------------------------------------

function run() {
  const fault = [...state.faults.values()][0];
  document.querySelector("#play-fault").textContent = fault || "";
  if (fault) return;
  const count = schedule(program, state.settings).length;
  if (count > MOST_STEPS) {
    document.querySelector("#play-fault").textContent = fill(words.steps, count, MOST_STEPS);
    return;
  }
  state.steps = train(program, state.settings);
  state.step = Math.min(state.step, state.steps.length - 1);
  contours.stale = true;
  show();
}

function move(steps, stage) {
  state.step = Math.max(0, Math.min(state.steps.length - 1, state.step + steps));
  state.stage = stage;
  show();
}

function forth() {
  if (state.stage + 1 < stages.length) move(0, state.stage + 1);
  else if (state.step + 1 < state.steps.length) move(1, 0);
}

function back() {
  if (state.stage > 0) move(0, state.stage - 1);
  else if (state.step > 0) move(-1, stages.length - 1);
}

function show() {
  const step = state.steps[state.step], stage = stages[state.stage];
  const at = (id, off) => (document.querySelector(id).disabled = off);
  at("#play-before", state.step === 0);
  at("#play-after", state.step + 1 >= state.steps.length);
  at("#play-back", state.step === 0 && state.stage === 0);
  at("#play-next", state.step + 1 >= state.steps.length && state.stage + 1 >= stages.length);
  const many = step.samples.length > 1 ? words.samples : words.sample;
  const said = step.samples.length ? fill(many, step.samples.join(", ")) : "";
  const finite = stages.every(({ name }) => [...step.r.arrays.get(name).values()].every(Number.isFinite));
  document.querySelector("#play-where").textContent = [
    fill(words.where, step.number, state.steps.length), said, words[stage.part], finite ? "" : words.diverges,
  ].filter(Boolean).join(" ");
  showNow(step, stage);
  showTable(step, stage);
  showGraph(step, stage);
  for (const one of document.querySelectorAll("#play math:not([aria-label], [aria-hidden])")) one.setAttribute("aria-label", spelt(one));
  showPictures(step);
}

// The quantity that is being worked: its formula, then every entry with its numbers.
function showNow(step, stage) {
  const shown = document.querySelector("#play .now");
  shown.replaceChildren();
  for (const eq of stage.equations) {
    const [target, body] = eq.said;
    const named = make("p", { role: "math", "aria-label": eq.spoken });
    for (const part of [target, relation("=") + body]) named.append(marked_up("span", math(part).replace("<math", '<math aria-hidden="true"'), { class: "piece" }));
    shown.append(named);
  }
  const places = [...step.r.arrays.get(stage.name).keys()].map(numbers);
  for (const at of places.slice(0, 24)) {
    const line = make("p", { class: "chain" });
    for (const piece of chain(step, stage.name, at)) line.append(marked_up("span", piece, { class: "piece" }), " ");
    spell(line);
    shown.append(line);
  }
  if (places.length > 24) shown.append(make("p", {}, fill(words.more, places.length - 24)));
  fit(shown);
}

// A chain of numbers as one formula with a name that can be read aloud.
function spell(line) {
  const formulas = [...line.querySelectorAll("math")];
  line.setAttribute("role", "math");
  line.setAttribute("aria-label", formulas.map(spelt).join(" "));
  for (const one of formulas) one.setAttribute("aria-hidden", "true");
}

function spelt(node) {
  const parts = [...node.children].map(spelt);
  if (!parts.length) return node.textContent;
  const [first, second] = parts;
  return { mfrac: `(${first}) / (${second})`, msup: `${first} ^ ${second}`, mover: first }[node.localName] ?? parts.join(" ");
}

// What is too wide for the screen is made smaller.
function fit(shown) {
  for (const piece of shown.querySelectorAll(".piece, .chip")) {
    const inner = piece.firstElementChild;
    inner.style.fontSize = "";
    const room = shown.clientWidth - 24, wide = inner.getBoundingClientRect().width;
    if (wide > room && room > 0) inner.style.fontSize = `${Math.max(0.4, (room / wide) * 1.04).toFixed(2)}em`;
  }
}

function verified(step, name, at, value) {
  const { names, rows } = program.verified;
  const row = rows[step.number - 1];
  const place = row ? names.findIndex(([other, there]) => other === name && String(there) === String(at)) : -1;
  return place >= 0 && Math.abs(row[place] - value) <= 1e-9 * Math.max(Math.abs(value), 1e-3);
}

function showTable(step, stage) {
  const body = document.querySelector("#play tbody");
  body.replaceChildren();
  const part = (title) => body.append(make("tr", { class: "part" }, make("th", { colspan: "2", scope: "rowgroup" }, title)));
  const row = (head, called, name) => {
    const cell = make("td");
    for (const [place, value] of step.r.arrays.get(name)) {
      const at = numbers(place), text = printed(value);
      const entry = at.length ? entryOf(name, at, step) + relation(text.exact ? "=" : "≈") : text.exact ? "" : "<mo>≈</mo>";
      const chip = marked_up("span", math(entry + mathml(text.text)), { class: "chip" });
      if (verified(step, name, at, value)) {
        chip.append(make("span", { class: "mark", "aria-hidden": "true", title: words.verified }, "✓"), make("span", { class: "unseen" }, words.verified));
      }
      cell.append(chip, " ");
    }
    const heading = marked_up("th", math(head), { scope: "row" });
    heading.firstElementChild.setAttribute("aria-label", called);
    const line = make("tr", { class: name === stage.name ? "on" : null }, heading, cell);
    body.append(line);
  };
  part(words.given);
  for (const name of Object.keys({ ...program.data, ...program.start, ...program.states })) row(program.symbols[name], program.called[name], name);
  for (const kind of ["forward", "backward", "update"]) {
    const own = stages.filter((one) => one.part === kind);
    if (own.length) part(words[kind]);
    for (const one of own) row(one.equations[0].said[0], one.equations[0].called, one.name);
  }
  fit(document.querySelector("#play .values"));
}

// --- pictures -------------------------------------------------------------------------------------------

function showGraph(step, stage) {
  const figure = document.querySelector("#play .graph");
  if (!figure) return;
  const done = new Set(stages.slice(0, state.stage + 1).map(({ name }) => name));
  const entries = (name) => (program.numbered.includes(name) ? inOrder([...(step.r.arrays.get(name) || [])]) : []);
  figure.querySelectorAll("rect:not(.fig-plate)").forEach((box, k) => {
    const name = program.nodes[k], lit = nodeOf(stage) === name;
    box.classList.toggle("lit", lit);
    box.classList.toggle("back", lit && stage.part === "backward");
    const label = box.nextElementSibling, room = Number(box.getAttribute("width")) - 6;
    write(label, entries(name), [" = ", " ≈ "], room, !program.forwards.includes(name) || done.has(name));
    const sum = label.nextElementSibling;
    if (sum && sum.classList.contains("fig-adjoint")) {
      write(sum, entries(slope(name)), ["Σ = ", "Σ ≈ "], room, done.has(slope(name)));
    }
  });
  const added = contributions(step);
  figure.querySelectorAll(".fig-contribution").forEach((label, k) => {
    const { name, start, room } = program.edges[k];
    label.classList.toggle("bright", stage.part === "backward" && nodeOf(stage) === start);
    write(label, program.numbered.includes(name) ? added[k] : [], ["", "≈ "], room, done.has(slope(start)));
  });
}

// What every edge of the graph adds to the adjoint of the quantity where it starts, entry by entry.
function contributions(step) {
  const r = further(program.edges.flatMap(({ equations }) => equations), step.r);
  const places = (start) => [...step.r.arrays.get(slope(start)).keys()];
  return program.edges.map(({ name, start }) => inOrder(places(start).map((at) => [at, r.read(name, ...numbers(at))])));
}

// Entries by their places, whichever was planned first.
function inOrder(entries) {
  const before = ([one], [other]) => numbers(one).reduce((found, k, axis) => found || k - numbers(other)[axis], 0);
  return entries.sort(before);
}

// The few entries of a quantity behind its name in a node, or on an edge; rows of a matrix are set apart.
function write(label, entries, [exact, rough], room, shown) {
  label.querySelectorAll(".own").forEach((one) => one.remove());
  if (!shown || !entries.length || entries.length > program.most) return;
  const exactly = (value) => Math.abs(Number(value.toPrecision(4)) - value) <= 1e-13 * Math.abs(value);
  const short = (value) => {
    if (!Number.isFinite(value)) return plain(value);
    const kept = value.toPrecision(4), digits = String(Number(kept));
    const [mantissa, exponent] = marked(exactly(value) || /e/.test(kept) ? digits : kept);
    return exponent ? `${mantissa}·10^${exponent.replace("-", "−")}` : mantissa;
  };
  const apart = (one, other) => program.format.between[one.length - 1 - one.findIndex((k, axis) => k !== other[axis])];
  const text = entries.map(([at, value], k) => (k ? apart(numbers(entries[k - 1][0]), numbers(at)) : "") + short(value)).join("");
  const near = !entries.every(([, value]) => exactly(value));
  const down = [...label.querySelectorAll("[dy]")].reduce((sum, one) => sum + Number(one.getAttribute("dy")), 0);
  label.append(make("svg:tspan", { class: "own", dy: down ? -down : null }, (near ? rough : exact) + (entries.length > 1 ? `(${text})` : text)));
  label.removeAttribute("textLength");
  label.removeAttribute("lengthAdjust");
  if (label.getComputedTextLength() > room) {
    label.setAttribute("textLength", room);
    label.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
}

const WIDE = 360, HIGH = 240, LEFT = 56, TOP = 14, RIGHT = 346, BOTTOM = 204;

// Round numbers across a range.
function ticks(low, high, most = 5) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const every = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= rough);
  const found = [];
  for (let k = Math.ceil(low / every); k * every <= high + every * 1e-9; k += 1) found.push(Number((k * every).toPrecision(12)));
  return found;
}

function range(values) {
  const own = values.filter(Number.isFinite);
  const low = Math.min(...own), high = Math.max(...own), room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

// Axes with their ticks; the drawing has x(value) and y(value).
function plot(title, across, upright, xlabel, ylabel, integers = false) {
  const x = (value) => LEFT + ((value - across[0]) / (across[1] - across[0])) * (RIGHT - LEFT);
  const y = (value) => BOTTOM - ((value - upright[0]) / (upright[1] - upright[0])) * (BOTTOM - TOP);
  const svg = make("svg:svg", { class: "plot", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": title });
  const add = (tag, attributes, ...inside) => svg.append(make(`svg:${tag}`, attributes, ...inside));
  const short = (value) => (Math.abs(value) >= 1e6 || (value && Math.abs(value) < 1e-4) ? value.toExponential(1).replace("-", "−") : marked(String(value))[0]);
  add("path", { class: "axis", d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}` });
  for (const at of ticks(...across).filter((value) => !integers || Number.isInteger(value))) {
    add("path", { class: "axis", d: `M${x(at)} ${BOTTOM}v4` });
    add("text", { x: x(at), y: BOTTOM + 17, "text-anchor": "middle" }, short(at));
  }
  for (const at of ticks(...upright)) {
    add("path", { class: "axis", d: `M${LEFT} ${y(at)}h-4` });
    add("text", { x: LEFT - 7, y: y(at) + 4, "text-anchor": "end" }, short(at));
  }
  add("text", { x: RIGHT, y: BOTTOM + 32, "text-anchor": "end" }, xlabel);
  add("text", { x: 2, y: 10 }, ylabel);
  const line = (kind, points) => {
    const finite = points.filter((at) => at.every(Number.isFinite));
    if (finite.length > 1) add("path", { class: kind, d: `M${finite.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("L")}` });
  };
  const dot = (kind, [a, b], r = 3.5) => {
    if (Number.isFinite(a) && Number.isFinite(b)) add("circle", { class: kind, cx: x(a).toFixed(1), cy: y(b).toFixed(1), r });
  };
  return { svg, add, line, dot, x, y };
}

function showPictures(step) {
  const shown = document.querySelector("#play .pictures");
  shown.replaceChildren();
  for (const [picture, caption] of [lossPicture(step), fitPicture(step), contours(step)].filter(Boolean)) {
    shown.append(make("figure", {}, picture, make("figcaption", {}, caption)));
  }
}

function lossPicture(step) {
  const losses = state.steps.map((one, k) => [k + 1, one.r.read(program.loss)]);
  if (losses.length < 2 || !losses.some(([, loss]) => Number.isFinite(loss))) return null;
  const picture = plot(words.loss, [0.7, losses.length + 0.3], range(losses.map(([, loss]) => loss)), words.step, program.letters.loss, true);
  const parts = state.steps.some((one) => one.samples.length < program.samples); // losses of other samples are no curve
  if (!parts) picture.line("curve", losses);
  if (parts || losses.length <= 60) losses.forEach((at) => picture.dot("spot", at, losses.length <= 60 ? 3.5 : 1.5));
  picture.dot("here", losses[step.number - 1], 5);
  return [picture.svg, parts ? words.dots : words.loss];
}

const every = () => Array.from({ length: program.samples }, (_, k) => k + 1);
const valuesOf = (step, prime) =>
  Object.fromEntries(Object.entries(program.start).map(([name, { shape }]) => [
    name, { shape, values: positions(shape).map((at) => step.r.read(name + prime, ...at)) },
  ]));

// A pass forward over all the data.
function forward(parameters) {
  const passed = { forward: program.forward, backward: [], update: [] };
  const kept = Object.fromEntries(Object.entries(program.states).map(([name, own]) => [name, own]));
  const inputs = inputsOf(program, state.settings, every(), { ...kept, ...parameters });
  program.clock.forEach((name) => (inputs[name] = { shape: [], values: [program.first] }));
  return work(passed, program.sizes(program.samples), inputs);
}

function fitPicture(step) {
  if (!program.fit) return null;
  const { x, y, fitted } = program.fit, { data } = state.settings;
  const line = (prime) => {
    const r = forward(valuesOf(step, program.update.length ? prime : ""));
    return data[x].map((value, k) => [value, r.read(fitted, k + 1)]).sort((a, b) => a[0] - b[0]);
  };
  const lines = { old: line(""), curve: line("'") };
  const near = range(data[y]), room = near[1] - near[0];
  const heights = [...lines.old, ...lines.curve].map(([, value]) => value);
  const seen = heights.filter((value) => value > near[0] - 3 * room && value < near[1] + 3 * room);
  const picture = plot(words.fit, range(data[x]), range([...data[y], ...seen]), program.letters.x, program.letters.y);
  const [bottom, top] = range([...data[y], ...seen]);
  for (const [kind, points] of Object.entries(lines)) {
    picture.line(kind, points.map(([a, b]) => [a, Math.max(bottom, Math.min(top, b))]));
  }
  data[x].forEach((value, k) => picture.dot(step.samples.includes(k + 1) ? "here" : "datum", [value, data[y][k]], 4));
  return [picture.svg, words.fit];
}

// The loss over all the data on a plane of two parameters, and the way of the run on it.
function contours(step) {
  const axes = Object.entries(program.start).flatMap(([name, { shape }]) => positions(shape).map((at) => ({ name, at })));
  if (axes.length !== 2 || state.steps.length < 2) return null;
  const path = state.steps.map((one) => axes.map(({ name, at }) => one.r.read(name, ...at)));
  path.push(axes.map(({ name, at }) => state.steps[state.steps.length - 1].r.read(`${name}'`, ...at)));
  const own = path.filter((at) => at.every((value) => Math.abs(value) < 1e6));
  if (own.length < 2) return null;
  const spans = [0, 1].map((k) => {
    const [low, high] = range(own.map((at) => at[k])), room = (high - low) * 0.35;
    return [low - room, high + room];
  });
  if (contours.stale) {
    contours.levels = levelsOf(axes, spans);
    contours.stale = false;
  }
  const named = axes.map(({ name, at }) => [program.letters.parameters[name], ...at].join("_").replace(/_(?=\d)(\d+)/g, below));
  const picture = plot(words.path, ...spans, ...named);
  for (const points of contours.levels) picture.line("level", points);
  picture.line("curve", own);
  if (own.length <= 60) own.forEach((at) => picture.dot("spot", at, 3));
  picture.dot("here", path[step.number - 1], 5);
  return [picture.svg, words.path];
}

const below = (_, digits) => digits.replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const GRID = 24;
function levelsOf(axes, spans) {
  const point = (k, j) => [spans[0][0] + ((spans[0][1] - spans[0][0]) * k) / GRID, spans[1][0] + ((spans[1][1] - spans[1][0]) * j) / GRID];
  const loss = ([a, b]) => {
    const parameters = {};
    for (const [name, { shape }] of Object.entries(program.start)) parameters[name] = { shape, values: [] };
    axes.forEach(({ name }, k) => parameters[name].values.push([a, b][k]));
    return forward(parameters).read(program.loss);
  };
  const grid = Array.from({ length: GRID + 1 }, (_, k) => Array.from({ length: GRID + 1 }, (_, j) => loss(point(k, j))));
  const sorted = grid.flat().filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return [];
  const levels = Array.from({ length: 9 }, (_, k) => sorted[0] + (sorted[sorted.length - 1] - sorted[0]) * ((k + 0.5) / 9) ** 2);
  return levels.flatMap((level) => lines(grid, point, level));
}

// The pieces of one level: in every triangle of the grid the loss is taken as flat.
function lines(grid, point, level) {
  const found = [];
  const between = ([a, u], [b, v]) => {
    const t = (level - u) / (v - u);
    return [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
  };
  for (let k = 0; k < GRID; k += 1) {
    for (let j = 0; j < GRID; j += 1) {
      const [p, q, s, t] = [[k, j], [k + 1, j], [k + 1, j + 1], [k, j + 1]].map(([a, b]) => [point(a, b), grid[a][b]]);
      for (const corners of [[p, q, s], [p, s, t]]) {
        const cut = [[0, 1], [1, 2], [2, 0]].filter(([a, b]) => corners[a][1] > level !== corners[b][1] > level);
        if (cut.length === 2) found.push(cut.map(([a, b]) => between(corners[a], corners[b])));
      }
    }
  }
  return found;
}

// --- the section ----------------------------------------------------------------------------------------

function section() {
  const button = (id, text, act) => make("button", { type: "button", id, onclick: act }, text);
  const graph = program.graph ? [marked_up("figure", program.graph, { class: "graph" })] : [];
  const table = make("table", {}, make("caption", { class: "unseen" }, words.table), make("tbody"));
  return make("section", { id: "play", "aria-labelledby": "play-title" },
    make("h2", { id: "play-title" }, words.title),
    make("p", {}, words.note),
    controls(),
    make("p", { class: "fault", id: "play-fault", role: "alert" }),
    make("div", { class: "walk", role: "group", "aria-label": words.walk },
      button("play-before", words.before, () => move(-1, 0)), button("play-back", words.back, back),
      button("play-next", words.next, forth), button("play-after", words.after, () => move(1, 0))),
    make("p", { id: "play-where", role: "status" }),
    ...graph,
    make("div", { class: "now" }),
    make("div", { class: "values" }, table),
    make("div", { class: "pictures" }),
  );
}

const main = document.querySelector("main");
document.head.append(make("style", {}, stylesheet));
main.lastElementChild.before(section());
const contents = document.querySelector("nav ul");
if (contents) contents.append(make("li", { class: "to-play" }, make("a", { href: "#play" }, words.title)));
run();
const refit = () => document.querySelectorAll("#play .now, #play .values").forEach(fit);
addEventListener("resize", refit);
document.fonts.ready.then(refit);
