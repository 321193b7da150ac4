// The functions that formulas call. What is not here is written from its formula in the catalogue.
const f = {
  exp: Math.exp, log: Math.log, sqrt: Math.sqrt, sin: Math.sin, cos: Math.cos, floor: Math.floor,
  max: Math.max, min: Math.min, abs: Math.abs, sign: Math.sign, tanh: Math.tanh,
  pi: () => Math.PI,
  step: (x) => (x > 0 ? 1 : x <= 0 ? 0 : NaN),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  log_cosh: (x) => Math.abs(x) + Math.log1p(Math.exp(-2 * Math.abs(x))) - Math.LN2,
  cospi: (x) => {
    const turn = Math.abs(x) % 2;
    return turn === 0.5 || turn === 1.5 ? 0 : turn === 1 ? -1 : Math.cos(Math.PI * turn);
  },
  // erf x = 2/sqrt(pi) exp(-x^2) (x + 2/3 x^3 + 4/15 x^5 + ...): no term is negative, nothing cancels.
  erf: (x) => {
    if (Math.abs(x) > 6) return Math.sign(x);
    let term = x, sum = x;
    for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k += 1) {
      term *= (2 * x * x) / (2 * k + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  },
};

// All places of an array, the last index running fastest; indices count from 1.
function positions(shape) {
  return shape.reduce(
    (found, extent) => found.flatMap((at) => Array.from({ length: extent }, (_, k) => [...at, k + 1])),
    [[]],
  );
}

// One pass through the equations of a program: every entry is worked once, when it is first read.
function work(program, size, inputs, known = []) {
  const arrays = new Map(known); // quantity -> place -> its value, or the equations that add up to it
  const plan = new Map(); // the same, as it was before anything was worked
  const own = (name) => arrays.get(name) || arrays.set(name, new Map()).get(name);
  const r = {
    size,
    arrays,
    plan,
    has: (name, ...at) => arrays.has(name) && arrays.get(name).has(String(at)),
    read(name, ...at) {
      const found = arrays.has(name) ? arrays.get(name).get(String(at)) : undefined;
      if (typeof found === "number") return found;
      if (found === undefined) return 0; // outside its array, or no path of the chain rule comes here
      own(name).set(String(at), NaN);
      const parts = found.map(([eq, letters]) => eq.value(r, ...letters));
      const value = parts.reduce((sum, part) => sum + part);
      own(name).set(String(at), value);
      return value;
    },
    sum(count, body) {
      let found = count ? body(1) : 0;
      for (let k = 2; k <= count; k += 1) found += body(k);
      return found;
    },
    mean: (count, body) => r.sum(count, body) / count,
    every(count, body) {
      for (let k = 1; k <= count; k += 1) if (!body(k)) return false;
      return true;
    },
    first(count, body, closed) {
      let best = 0, most = -Infinity;
      for (let k = 1; k <= count; k += 1) {
        const value = closed(k) ? undefined : body(k);
        if (value !== undefined && (!best || value > most || value !== value)) [best, most] = [k, value];
      }
      return [best, most];
    },
    largest: (count, body, closed = () => false) => r.first(count, body, closed)[1],
    chosen: (count, body, closed, at) => +(r.first(count, body, closed)[0] === at),
  };
  for (const [name, { shape, values }] of Object.entries(inputs)) {
    positions(shape).forEach((at, k) => own(name).set(String(at), values[k]));
  }
  const equations = [...program.forward, ...program.backward, ...program.update];
  for (const eq of equations) {
    for (const letters of ways(eq, arrays, size)) {
      const at = String(eq.at(r, ...letters));
      const known = own(eq.name).get(at);
      own(eq.name).set(at, Array.isArray(known) ? [...known, [eq, letters]] : [[eq, letters]]);
    }
  }
  for (const eq of equations) if (!plan.has(eq.name)) plan.set(eq.name, new Map(arrays.get(eq.name)));
  for (const [name, places] of plan) for (const at of places.keys()) r.read(name, ...numbers(at));
  return r;
}

// More equations over the values of a pass, which stay as they are.
function further(equations, r) {
  return work({ forward: equations, backward: [], update: [] }, r.size, {}, r.arrays);
}

function numbers(at) {
  return at === "" ? [] : at.split(",").map(Number);
}

// The values of the letters of a left-hand side; an adjoint has the entries of what it is the adjoint of.
function ways(eq, arrays, size) {
  const of = eq.name.includes("/d") ? eq.name.slice(eq.name.indexOf("/d") + 2) : "";
  if (!of || !arrays.has(of)) return positions(eq.letters.map((letter) => size[letter]));
  const found = [];
  for (const at of [...arrays.get(of).keys()].map(numbers)) {
    const fits = eq.plain.every((part, k) => (typeof part === "number" ? part === at[k] : at[k] >= 1));
    if (fits) found.push(eq.letters.map((letter) => at[eq.plain.indexOf(letter)]));
  }
  return found;
}

// The entries of some samples of a data array.
function taken({ shape, axis, values }, samples) {
  if (axis === null) return { shape, values };
  const cut = shape.map((extent, k) => (k === axis ? samples.length : extent));
  const place = (at) => at.reduce((sum, k, n) => sum * shape[n] + (n === axis ? samples[k - 1] : k) - 1, 0);
  return { shape: cut, values: positions(cut).map((at) => values[place(at)]) };
}

// Epoch and samples of every step.
function schedule(program, settings) {
  const found = [];
  for (let epoch = 1; epoch <= settings.epochs; epoch += 1) {
    const order = program.orders[Math.min(epoch, program.orders.length) - 1];
    const cut = Math.max(settings.size || order.length, 1);
    const starts = order.length ? Array.from({ length: Math.ceil(order.length / cut) }, (_, k) => k * cut) : [0];
    const batches =
      program.listed && !settings.size ? program.listed : starts.map((at) => order.slice(at, at + cut));
    for (const samples of batches) found.push({ epoch, samples });
  }
  return found;
}

// Every step of a run, with what goes from step to step. Nothing is rounded but by float64.
function train(program, settings) {
  const kept = {};
  for (const [name, array] of Object.entries(program.start)) {
    kept[name] = { shape: array.shape, values: settings.start[name] };
  }
  for (const [name, state] of Object.entries(program.states)) {
    const from = state.from === null ? undefined : settings.hyper[state.from];
    kept[name] = { shape: state.shape, values: state.values.map((value) => (from === undefined ? value : from)) };
  }
  return schedule(program, settings).map(({ epoch, samples }, at) => {
    const inputs = inputsOf(program, settings, samples, kept);
    [program.first + at, epoch].forEach((count, k) => {
      if (k < program.clock.length) inputs[program.clock[k]] = { shape: [], values: [count] };
    });
    const r = work(program, program.sizes(samples.length), inputs);
    for (const [name, array] of Object.entries(program.update.length ? kept : {})) {
      const values = positions(array.shape).map((place) => r.read(`${name}'`, ...place));
      kept[name] = { shape: array.shape, values };
    }
    return { number: at + 1, epoch, samples, r };
  });
}

function inputsOf(program, settings, samples, kept) {
  const inputs = {};
  for (const [name, array] of Object.entries(program.data)) {
    inputs[name] = taken({ ...array, values: settings.data[name] || array.values }, samples);
  }
  if (program.counting) inputs[program.counting] = { shape: [samples.length], values: samples };
  Object.assign(inputs, kept);
  for (const [name, value] of Object.entries(settings.hyper)) inputs[name] = { shape: [], values: [value] };
  return inputs;
}

// The settings of the page.
function given(program) {
  const values = (table) => Object.fromEntries(Object.entries(table).map(([name, array]) => [name, array.values]));
  return {
    hyper: { ...program.hyper },
    start: values(program.start),
    data: values(program.data),
    size: program.size,
    epochs: program.epochs,
  };
}
