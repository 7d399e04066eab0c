/* Runs in a page of the book (see look.py): arguments are the theme expected and the callback, which gets the faults
   found once everything had its chance to be drawn. */
const [theme, done] = arguments;
const faults = [];
const root = document.documentElement;
const seen = (e) => {
  const box = e.getBoundingClientRect();
  return box.width > 1 && box.height > 1;
};
const short = (e) => (e.outerHTML || "").replace(/\s+/g, " ").slice(0, 120);
const label = (e) => (e.getAttribute("aria-label") || "").trim();
const all = (selector) => [...document.querySelectorAll(selector)];
const until = async (holds) => {
  for (let i = 0; i < 100 && !holds(); i++) await new Promise((r) => setTimeout(r, 50));
};

async function math() {
  const formulas = all(".math");
  if (formulas.length && !(window.MathJax && MathJax.startup)) faults.push("math: MathJax is not there");
  else if (formulas.length) await MathJax.startup.promise;
  for (const m of formulas) if (!m.querySelector("mjx-container svg")) faults.push("math not drawn: " + short(m));
  for (const m of all("mjx-merror, [data-mjx-error]")) faults.push("math in error: " + m.textContent);
}

async function figures() {
  const plots = all(".citylib-plotly");
  await until(() => plots.every((p) => p.querySelector(".main-svg")));
  for (const plot of plots) {
    const drawn = plot.querySelector(".main-svg");
    if (!drawn || !seen(drawn)) faults.push("interactive figure not drawn: " + short(plot));
    if (label(plot).length < 10) faults.push("interactive figure without aria-label: " + short(plot));
  }
  for (const figure of all("figure.citylib-figure")) {
    const caption = figure.querySelector("figcaption");
    if (caption && !seen(caption)) faults.push("caption hidden of figure " + figure.dataset.name);
    if (figure.querySelector(".citylib-plotly")) continue;
    const drawn = [...figure.querySelectorAll("svg, img")].filter(seen);
    if (drawn.length !== 1) faults.push(drawn.length + " drawings to be seen in figure " + figure.dataset.name);
  }
  for (const image of all("img")) {
    if (!(image.getAttribute("alt") || "").trim()) faults.push("image without alt: " + short(image));
    const shown = getComputedStyle(image).display !== "none";
    if (shown && !(image.complete && image.naturalWidth)) faults.push("image broken: " + short(image));
  }
  for (const drawing of all("main [role=img], figure svg:not([aria-hidden])")) {
    if (drawing.closest(".citylib-plotly, mjx-container, .svg-inline--fa")) continue;
    if (label(drawing).length < 10) faults.push("figure without aria-label: " + short(drawing));
  }
}

async function tables() {
  const sortable = all("table.sortable");
  await until(() => sortable.every((t) => t.classList.contains("dataTable")));
  for (const t of sortable) if (!t.classList.contains("dataTable")) faults.push("table not sortable: " + short(t));
}

function width() {
  const wide = document.scrollingElement.scrollWidth - root.clientWidth;
  if (wide <= 0) return;
  const held = (e) => {
    for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
      if (getComputedStyle(p).overflowX !== "visible") return true;
    return false;
  };
  const over = all("body *").find((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !held(e));
  faults.push("scrolls sideways by " + wide + " px" + (over ? ": " + short(over) : ""));
}

/* Contrast of words with what lies behind them, as WCAG counts it; 3 is its bound for large text. */
function contrast() {
  const parse = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = (colour) => {
    const [r, g, b] = parse(colour).map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (let p = e; p; p = p.parentElement) {
      const colour = getComputedStyle(p).backgroundColor;
      const parts = parse(colour);
      if (parts.length === 3 || parts[3] > 0.5) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  for (const e of all("article p, article li, article td, article th, article h1, article h2, article h3, article figcaption, article code span")) {
    const words = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!words || !seen(e) || getComputedStyle(e).visibility === "hidden") continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 3) {
      faults.push("words hardly to be read (contrast " + ratio.toFixed(1) + "): " + short(e));
      return;
    }
  }
}

(async () => {
  if (document.readyState !== "complete") await new Promise((r) => addEventListener("load", r));
  await Promise.all([math(), figures(), tables()]);
  width();
  contrast();
  if (root.dataset.theme !== theme) faults.push("theme is " + root.dataset.theme);
  return faults;
})().then(done, (error) => done(["check failed: " + error]));
