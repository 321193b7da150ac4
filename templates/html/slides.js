// One slide at a time, its steps one after another. Without this script all slides stand one below the other.
(() => {
  const slides = [...document.querySelectorAll("section")];
  const steps = slides.map((slide) => [...slide.querySelectorAll(".step")]);
  let at = 0, shown = 0;
  const show = (slide, count) => {
    at = slide;
    shown = count;
    slides[at].style.counterReset = `slide ${at}`; // those that are hidden do not count
    slides.forEach((one, place) => one.classList.toggle("now", place === at));
    steps[at].forEach((one, place) => one.classList.toggle("on", place < shown));
    history.replaceState(null, "", "#" + (at + 1));
    slides[at].focus({ preventScroll: true });
  };
  const on = () => {
    if (shown < steps[at].length) show(at, shown + 1);
    else if (at + 1 < slides.length) show(at + 1, 0);
  };
  const back = () => {
    if (shown > 0) show(at, shown - 1);
    else if (at > 0) show(at - 1, steps[at - 1].length);
  };
  const keys = {
    ArrowRight: on, ArrowDown: on, PageDown: on, " ": on, Enter: on,
    ArrowLeft: back, ArrowUp: back, PageUp: back, Backspace: back,
    Home: () => show(0, 0), End: () => show(slides.length - 1, 0),
  };
  addEventListener("keydown", (event) => {
    const turn = event.ctrlKey || event.altKey || event.metaKey ? null : keys[event.key];
    if (!turn || (event.target.closest("button") && (event.key === " " || event.key === "Enter"))) return;
    event.preventDefault();
    turn();
  });
  document.querySelector("#on").addEventListener("click", on);
  document.querySelector("#back").addEventListener("click", back);
  document.querySelector("main").addEventListener("click", (event) => {
    if (getSelection().toString()) return;
    (event.clientX < innerWidth / 4 ? back : on)();
  });
  let from = null;
  addEventListener("touchstart", (event) => { from = event.changedTouches[0].clientX; }, { passive: true });
  addEventListener("touchend", (event) => {
    const moved = event.changedTouches[0].clientX - from;
    if (Math.abs(moved) > 50) (moved < 0 ? on : back)();
  });
  const asked = () => Math.min(Math.max((parseInt(location.hash.slice(1), 10) || 1) - 1, 0), slides.length - 1);
  addEventListener("hashchange", () => { if (asked() !== at) show(asked(), 0); });
  document.documentElement.classList.add("live");
  show(asked(), 0);
})();
