// Numbers as the page prints them; `exact` is whether the digits are the value, but for the last bits of float64.
function printed(value) {
  const { digits, significant } = program.format;
  if (!Number.isFinite(value)) return { text: String(value), exact: true };
  if (value === 0) return { text: "0", exact: true };
  const magnitude = Number(value.toExponential().split("e")[1]);
  const short = Number.isInteger(value) && Math.abs(value) < 1e12;
  const least = magnitude >= 9 && !short ? digits - magnitude : Math.max(digits, 2 - magnitude);
  const places = significant === null ? least : significant - 1 - magnitude;
  const long = significant === null ? digits : significant + 3;
  const scientific = (magnitude >= 9 && !short) || places > Math.max(long, 6);
  let text = value.toFixed(Math.min(Math.max(places, 0), 100));
  if (scientific) text = value.toExponential(Math.min(Math.max(places + magnitude, 0), 100));
  const exact = Math.abs(Number(text) - value) <= 1e-13 * Math.abs(value);
  return { text: exact ? text.replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "") : text, exact };
}

// Digits with the marks of the language.
function numeral(digits) {
  const [whole, places] = digits.split(".");
  const head = whole.length < 5 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, program.format.group);
  return places ? head + program.format.decimal + places : head;
}

function plain(value) {
  const [mantissa, exponent] = marked(printed(value).text);
  return exponent ? `${mantissa} · 10^${exponent.replace("-", "−")}` : mantissa;
}

function marked(text) {
  if (text === "NaN") return [words.undefined, ""];
  if (text.endsWith("Infinity")) return [text.replace("Infinity", "∞").replace("-", "−"), ""];
  const [mantissa, exponent] = text.replace("e+", "e").split("e");
  return [mantissa.replace(/[\d.]+/, numeral).replace("-", "−"), exponent || ""];
}

// A printed number as exactly one element.
function mathml(text) {
  const [mantissa, exponent] = marked(text);
  const digits = mantissa.replace("−", "");
  let shown = text === "NaN" ? `<mtext>${digits}</mtext>` : digits === "∞" ? "<mi>∞</mi>" : `<mn>${digits}</mn>`;
  if (exponent) {
    const power = `<mn>${exponent.replace("-", "")}</mn>`;
    const above = exponent.startsWith("-") ? `<mrow><mo>−</mo>${power}</mrow>` : power;
    shown = `<mrow>${shown}<mo>·</mo><msup><mn>10</mn>${above}</msup></mrow>`;
  }
  return mantissa.startsWith("−") ? `<mrow><mo>−</mo>${shown}</mrow>` : shown;
}

// Writes one formula with numbers put in; `exact` stays true while nothing was rounded.
function writer() {
  const w = {
    exact: true,
    text(value) {
      const found = printed(value);
      w.exact = w.exact && found.exact;
      return found.text;
    },
    number: (value) => mathml(w.text(value)),
    bracketed(value, needs) {
      const text = w.text(value), shown = mathml(text);
      return needs.test(text) ? `<mrow><mo stretchy="false">(</mo>${shown}<mo stretchy="false">)</mo></mrow>` : shown;
    },
    within: (value) => w.bracketed(value, /^-/), // where a sign needs brackets
    base: (value) => w.bracketed(value, /^-|e/), // below an exponent, where a power of ten needs them too
    // The terms of a sum that count, shortened in the middle where there are many.
    terms(count, first, later, closed, joined = false) {
      const open = Array.from({ length: count }, (_, k) => k + 1).filter((k) => !closed(k));
      if (!open.length) return joined ? "" : "<mn>0</mn>";
      const shown = open.map((k, place) => (place || joined ? later(k) : first(k)));
      const dots = "<mo>+</mo><mo>…</mo>";
      return (shown.length > 6 ? [...shown.slice(0, 3), dots, shown[shown.length - 1]] : shown).join("");
    },
    fenced(inside) {
      const [open, close] = inside.includes("(</mo>") ? "[]" : "()";
      return `<mrow><mo>${open}</mo>${inside}<mo>${close}</mo></mrow>`;
    },
    list: (count, body, closed) =>
      Array.from({ length: count }, (_, k) => k + 1)
        .filter((k) => !closed(k))
        .map(body)
        .join(`<mo>${program.format.separator}</mo>`),
  };
  return w;
}

const relation = (sign) => `<mo form="infix">${sign}</mo>`;
const math = (inside) => `<math>${inside}</math>`;

// An entry as it is written, samples with their numbers in the data set.
function entryOf(name, at, step) {
  const known = program.places[name] || [];
  const shown = at.map((k, axis) => (known[axis] && step.samples.length ? step.samples[k - 1] : k));
  return program.entries[name](shown);
}

// Entry = numbers put in = value, in pieces between which a line may break.
function chain(step, name, at) {
  const parts = step.r.plan.get(name).get(String(at));
  const value = step.r.read(name, ...at);
  const w = writer();
  const sides = [entryOf(name, at, step)];
  if (Array.isArray(parts) && parts.length === 1 && !parts[0][0].plainly) {
    const [eq, letters] = parts[0];
    const filled = eq.numbers(step.r, w, ...letters);
    sides.push(relation(w.exact ? "=" : "≈") + filled);
  }
  const shown = w.number(value);
  const last = relation(w.exact ? "=" : "≈") + shown;
  if (sides[1] === undefined || sides[1].replace(/^<mo form="infix">.<\/mo>/, "") !== shown) sides.push(last);
  return sides.map(math);
}
