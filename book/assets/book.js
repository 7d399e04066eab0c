/* What the book's pages do in the browser: sortable tables, interactive figures that follow light and dark. */
(() => {
  "use strict";

  const FEW = 12; // a table this short needs no search box and no pages

  function tables() {
    const library = window.citylibTables;
    if (!library) return;
    for (const table of document.querySelectorAll("table.sortable")) {
      if (!table.tHead || table.querySelector("[colspan], [rowspan]")) continue;
      const long = table.tBodies[0].rows.length > FEW;
      library.jQuery(table).DataTable({
        paging: long,
        pageLength: FEW,
        lengthMenu: [FEW, 50, 200],
        searching: long,
        info: long,
        order: [],
        autoWidth: false,
        language: { search: "", searchPlaceholder: "Search this table", lengthMenu: "_MENU_ rows a page" },
      });
    }
  }

  /* Tell the style sheet how long the longest words of each column are, up to a line's worth. */
  function widths() {
    for (const table of document.querySelectorAll("article table")) {
      const heads = table.tHead ? [...table.tHead.rows[0].cells] : [];
      heads.forEach((head, i) => {
        const lengths = [...table.tBodies[0].rows].map((row) => (row.cells[i] ? row.cells[i].textContent.trim().length : 0));
        head.style.setProperty("--longest", Math.min(30, Math.max(0, ...lengths)));
      });
    }
  }

  /* DataTables puts the table in a box of its own: that box scrolls, the page doesn't. */
  function boxes() {
    for (const table of document.querySelectorAll("article table")) {
      const box = document.createElement("div");
      box.className = "citylib-scroll";
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      const caption = table.caption ? table.caption.innerText : "";
      box.setAttribute("aria-label", caption || "table");
      table.replaceWith(box);
      box.append(table);
    }
  }

  const dark = () => document.documentElement.dataset.theme === "dark";

  function inks() {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--pst-color-text-base").trim();
    const faint = dark() ? "#444c56" : "#d0d7de";
    return { ink, faint };
  }

  /* The colours of figures on light pages (citylib/plots/style.py), and what stands for them on dark ones. */
  const DARK = {
    "#0072B2": "#4DA9E0",
    "#D55E00": "#FF8F4A",
    "#009E73": "#35C79B",
    "#CC79A7": "#E5A3C6",
    "#E69F00": "#F2BE4A",
    "#56B4E9": "#8CCBF0",
  };

  function coloured(data) {
    if (!dark()) return data;
    return JSON.parse(JSON.stringify(data), (key, value) => (typeof value === "string" && DARK[value]) || value);
  }

  function dressed(layout) {
    const { ink, faint } = inks();
    const axis = { color: ink, gridcolor: faint, zerolinecolor: faint, linecolor: faint };
    const made = { ...layout, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true };
    made.modebar = { bgcolor: "rgba(0,0,0,0)", color: faint, activecolor: ink };
    made.font = { ...(layout.font || {}), color: ink, family: "system-ui, sans-serif" };
    made.margin = { l: 56, r: 16, b: 48, ...(layout.margin || {}), t: layout.showlegend === false ? 32 : 62 };
    for (const key of new Set(["xaxis", "yaxis", ...Object.keys(layout)]))
      if (/^[xy]axis\d*$/.test(key)) made[key] = { automargin: true, ...(layout[key] || {}), ...axis };
    delete made.width;
    return made;
  }

  async function plots() {
    if (!window.Plotly) return;
    for (const place of document.querySelectorAll(".citylib-plotly")) {
      const source = place.querySelector("script[type='application/json']");
      if (!source) continue;
      const { data, layout } = JSON.parse(source.textContent);
      const settings = { responsive: true, displaylogo: false, displayModeBar: innerWidth >= 600, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
      const box = document.createElement("div");
      box.className = "citylib-plot";
      box.style.height = `${(layout && layout.height) || 380}px`;
      place.append(box);
      const draw = () => window.Plotly.react(box, coloured(data), dressed(layout || {}), settings);
      await draw();
      new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    }
  }

  function start() {
    boxes();
    widths();
    tables();
    plots();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
