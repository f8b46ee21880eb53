"use strict";
(() => {
  const table = document.querySelector("table.sorts");
  for (const element of document.querySelectorAll("[data-age]")) {
    const then = performance.now() - 1000 * Number(element.dataset.age);
    const tell = () => {
      const seconds = (performance.now() - then) / 1000;
      element.textContent = seconds < 90 ? `${seconds.toFixed(0)} s` : seconds < 5400 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
    };
    setInterval(tell, 5000);
  }
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
  if (!table) return;
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const panel = document.querySelector(".filter");
  const words = panel && panel.querySelector("input"), choice = panel && panel.querySelector("select");
  const count = panel && panel.querySelector("output");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  let sorted = "";

  const value = (row, place, numeric) => {
    const text = row.cells[place].dataset.v ?? row.cells[place].textContent.trim();
    return text === "" ? null : numeric ? Number(text) : text.toLowerCase();
  };
  const sort = (place, down) => {
    const numeric = heads[place].dataset.sort === "n";
    const keyed = rows.map((row, at) => [value(row, place, numeric), at, row]);
    keyed.sort((a, b) => {
      if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null) || a[1] - b[1];
      const order = numeric ? a[0] - b[0] : a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
      return (down ? -order : order) || a[1] - b[1];
    });
    body.append(...keyed.map((each) => each[2]));
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[place].setAttribute("aria-sort", down ? "descending" : "ascending");
    sorted = `${place}${down ? "d" : "a"}`;
  };
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean), status = choice.value;
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = status === "" || (status === "look" ? row.dataset.look === "1" : row.dataset.status === status);
      row.hidden = !(fits && wanted.every((word) => texts[at].includes(word)));
      shown += !row.hidden;
    });
    count.textContent = shown === rows.length ? `${rows.length} shown` : `${shown} of ${rows.length} shown`;
  };
  const remember = () => {
    const state = new URLSearchParams();
    if (words && words.value) state.set("find", words.value);
    if (choice && choice.value) state.set("status", choice.value);
    if (sorted) state.set("sort", sorted);
    const text = state.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };

  heads.forEach((head, place) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(place, now ? now === "ascending" : head.dataset.sort === "n");
      remember();
    });
  });
  const state = new URLSearchParams(location.hash.slice(1));
  if (panel) {
    panel.hidden = false;
    words.value = state.get("find") || "";
    choice.value = [...choice.options].some((each) => each.value === state.get("status")) ? state.get("status") : "";
    for (const each of [words, choice]) each.addEventListener("input", () => { filter(); remember(); });
    panel.addEventListener("submit", (event) => event.preventDefault());
    filter();
  }
  const order = /^(\d+)([ad])$/.exec(state.get("sort") || "");
  if (order && heads[order[1]] && heads[order[1]].dataset.sort) sort(Number(order[1]), order[2] === "d");
})();
