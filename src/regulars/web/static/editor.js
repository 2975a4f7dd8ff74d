// The query text: proposals for what may stand at the cursor. The text stays an ordinary field.
(() => {
  "use strict";
  // What saving does is told while the rule is written; the page need not ask once more.
  const told = document.getElementById("told");
  if (told) told.value = "live";

  const area = () => document.getElementById("query");
  const list = () => document.getElementById("proposals");
  let found = [];
  let chosen = -1;
  let asked = 0;
  let waiting = 0;

  const close = () => {
    found = [];
    chosen = -1;
    asked += 1;
    if (!list() || list().hidden) return;
    list().hidden = true;
    list().replaceChildren();
    area()?.removeAttribute("aria-activedescendant");
    document.getElementById("proposals-count").textContent = "";
  };

  const choose = (at) => {
    const options = [...list().children];
    chosen = (at + options.length) % options.length;
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    area().setAttribute("aria-activedescendant", options[chosen].id);
  };

  const part = (name, text) => {
    const one = document.createElement("span");
    one.className = name;
    one.textContent = text;
    return one;
  };

  const show = (proposals) => {
    found = proposals;
    chosen = -1;
    const told = document.getElementById("proposals-count");
    list().replaceChildren(...found.map((one, place) => {
      const option = document.createElement("li");
      option.id = `proposal-${place}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.append(part("code", one.text), part("note", [one.label, one.count].filter(Boolean).join(" · ")));
      return option;
    }));
    list().hidden = found.length === 0;
    told.textContent = found.length ? told.dataset.text.replace("{count}", found.length) : "";
  };

  // The places count characters; the field counts some of them, such as emoji, as two.
  const characters = (text) => [...text].length;
  const units = (text, count) => [...text].slice(0, count).join("").length;

  const ask = async () => {
    const field = area();
    const turn = (asked += 1);
    const at = characters(field.value.slice(0, field.selectionStart));
    const query = new URLSearchParams({ query: field.value, at });
    try {
      const answer = await fetch(`${field.dataset.proposals}?${query}`);
      const proposals = answer.ok ? await answer.json() : [];
      // A word that stands there whole needs no help.
      const other = proposals.filter((one) => field.value.slice(units(field.value, one.start), units(field.value, one.end)) !== one.text);
      if (turn === asked && document.activeElement === field) show(other);
    } catch {
      close();
    }
  };

  const take = (one) => {
    const field = area();
    const value = field.value;
    const text = one.text.endsWith("()") ? one.text.slice(0, -1) : one.text;
    const after = value.slice(units(value, one.end));
    const space = text.endsWith("(") || text.endsWith(".") || after.startsWith(" ") ? "" : " ";
    field.setRangeText(text + space, units(value, one.start), units(value, one.end), "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  document.addEventListener("input", (event) => {
    if (event.target !== area()) return;
    clearTimeout(waiting);
    waiting = setTimeout(ask, 120);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== area() || event.isComposing || event.keyCode === 229) return;
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      ask();
    } else if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      choose(chosen < 0 && event.key === "ArrowUp" ? found.length - 1 : chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (found.length && event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(found[chosen]);
    } else if (found.length && event.key === "Escape") {
      event.preventDefault();
      close();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.("#proposals > li");
    if (option) {
      event.preventDefault();
      take(found[[...list().children].indexOf(option)]);
    } else if (event.target !== area()) close();
  });
  document.addEventListener("focusout", (event) => { if (event.target === area()) close(); });

  // ---- a suggestion replaces the marked part of the text ----
  document.addEventListener("click", (event) => {
    const fix = event.target.closest?.("[data-fix]");
    if (!fix) return;
    const area = document.getElementById(fix.dataset.for);
    // The places count characters; the field counts some of them, such as emoji, as two.
    const characters = [...area.value];
    const units = (count) => characters.slice(0, count).join("").length;
    const start = Number(fix.dataset.start);
    const end = start + Number(fix.dataset.length);
    area.setRangeText(fix.dataset.fix, units(start), units(end), "end");
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
