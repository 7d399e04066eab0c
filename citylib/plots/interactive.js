// Draws one interactive figure where Plotly is at hand (the book brings it); elsewhere the still drawing stays.
(() => {
  const box = document.currentScript.closest(".citylib-plotly");
  const text = box.querySelector("script[type='application/json']").textContent;
  const still = box.querySelector(".citylib-still");
  const live = box.querySelector(".citylib-live");
  const root = document.documentElement;
  const draw = () => {
    if (!window.Plotly) return;
    let spec = text;
    const dark = JSON.parse(box.dataset.dark);
    if (root.dataset.theme === "dark") for (const [light, other] of Object.entries(dark)) spec = spec.replaceAll(light, other);
    spec = JSON.parse(spec);
    still.hidden = true;
    live.hidden = false;
    window.Plotly.react(live, spec.data, spec.layout, { responsive: true, displaylogo: false, displayModeBar: false });
  };
  if (document.readyState === "complete") draw();
  else window.addEventListener("load", draw);
  new MutationObserver(draw).observe(root, { attributeFilter: ["data-theme"] });
})();
