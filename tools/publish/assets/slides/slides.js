// Starts reveal.js, and makes the body of a slide smaller until nothing runs off its edge.
"use strict";

const HEIGHT = 720;
const SMALLEST = 0.5;

function fit(slide) {
  const body = slide && slide.querySelector(":scope > .body");
  if (!body) return;
  body.style.fontSize = "";
  const full = parseFloat(getComputedStyle(body).fontSize);
  const room = HEIGHT - body.offsetTop - 30;
  for (let scale = 1; scale >= SMALLEST; scale -= 0.05) {
    body.style.fontSize = `${full * scale}px`;
    body.dataset.scale = scale.toFixed(2);
    if (body.scrollHeight <= room && body.scrollWidth <= body.clientWidth) break;
  }
}

Reveal.initialize({
  width: 1280,
  height: HEIGHT,
  margin: 0.02,
  center: false,
  hash: true,
  slideNumber: "h.v",
  // The talk goes from left to right, also by a presenter's clicker; below lies what else there is.
  keyboard: { 32: "right", 33: "left", 34: "right" },
  transition: "none",
  pdfSeparateFragments: false,
  plugins: [RevealNotes],
}).then(() => {
  if (Reveal.isPrintView()) document.querySelectorAll("section").forEach(fit);
  fit(Reveal.getCurrentSlide());
});
Reveal.on("slidechanged", (event) => fit(event.currentSlide));
