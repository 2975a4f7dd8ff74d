// What the pages do in the browser beyond htmx: menus, dialogs, Japanese input, shortcuts, live
// polling that rests when nobody looks. No inline code, no eval, nothing is written as HTML.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const isTyping = (element) => element?.matches?.("input, textarea, select, [contenteditable]");

  // ---- Japanese input: nothing is sent while a word is being composed ----
  let composing = false;
  document.addEventListener("compositionstart", () => { composing = true; }, true);
  document.addEventListener("compositionend", (event) => {
    composing = false;
    event.target.dispatchEvent(new Event("input", { bubbles: true }));
  }, true);
  document.addEventListener("input", (event) => {
    if (event.isComposing || composing) event.stopImmediatePropagation();
  }, true);
  document.addEventListener("keydown", (event) => {
    // Safari ends the composition before it tells of the key that ended it: 229 is that key.
    if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) {
      event.stopImmediatePropagation();
      if (event.target.matches?.("input")) event.preventDefault();
    }
  }, true);

  // ---- menus: arrows rove, letters jump, Escape gives the focus back ----
  const places = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, places];
  let typed = "";
  let typedAt = -Infinity;
  const itemsOf = (list) => $$('[role="menuitem"]', list);
  const attribute = (name, value) => `[${name}="${CSS.escape(value)}"]`;
  // The rows of a list share one menu: it knows which of them it is open for.
  const buttonOf = (list) => document.querySelector(list.dataset.of
    ? attribute("data-menu", list.id) + attribute("href", list.dataset.of)
    : attribute("popovertarget", list.id));
  const openFor = (button) => {
    const list = document.getElementById(button.dataset.menu);
    list.hidePopover();
    const about = button.getAttribute("href");
    list.dataset.of = about;
    list.ariaLabel = button.ariaLabel;
    for (const item of itemsOf(list)) {
      item.href = item.dataset.href.replace("{}", about.split("/").pop());
      if (item.hasAttribute("hx-get")) item.setAttribute("hx-get", item.getAttribute("href"));
    }
    list.showPopover();
  };
  const place = (list) => {
    const button = buttonOf(list);
    if (!button) return;
    const at = button.getBoundingClientRect();
    const { width, height } = list.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.right - width, innerWidth - width - 8));
    const below = at.bottom + 4 + height < innerHeight || at.top < height + 8;
    const top = below ? at.bottom : Math.max(4, at.top - height - 8);
    // A sheet of our own: a style attribute would be copied by a morph, which the policy forbids.
    places.replaceSync(`#${CSS.escape(list.id)} { left: ${left}px; top: ${top}px; }`);
  };
  document.addEventListener("toggle", (event) => {
    const list = event.target;
    if (!list.matches?.(".menu-items")) return;
    const open = event.newState === "open";
    buttonOf(list)?.setAttribute("aria-expanded", String(open));
    if (open) {
      place(list);
      itemsOf(list)[0]?.focus();
    } else if (list.contains(document.activeElement)) {
      buttonOf(list)?.focus();
    }
  }, true);
  addEventListener("scroll", () => {
    for (const list of $$(".menu-items:popover-open")) list.hidePopover();
  }, { passive: true });
  // A press outside closes a menu before the click comes: one on its own button is to close it only.
  let pressedOpen = null;
  document.addEventListener("pointerdown", (event) => {
    const button = event.target.closest?.("[data-menu]");
    pressedOpen = button?.ariaExpanded === "true" ? button : null;
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-menu]");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (button !== pressedOpen) openFor(button);
    pressedOpen = null;
  });
  document.addEventListener("keydown", (event) => {
    const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
    const button = event.target.closest?.("[role=button], .menu > [popovertarget]");
    if (button && (isArrow ? button.ariaHasPopup : event.key === " " && button.matches("a"))) {
      event.preventDefault();
      button.click();
      return;
    }
    const list = event.target.closest?.(".menu-items");
    if (!list) return;
    const items = itemsOf(list);
    const here = items.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items[(to + items.length) % items.length].focus();
    } else if (event.key === "Tab" || event.key === "Escape") {
      if (event.key === "Escape") event.preventDefault();
      list.hidePopover();
      buttonOf(list)?.focus();
    } else if (event.key === " ") {
      event.preventDefault();
      document.activeElement.click();
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      // Letters typed in quick succession are the beginning of one word.
      const now = performance.now();
      typed = now - typedAt < 600 ? typed + event.key.toLowerCase() : event.key.toLowerCase();
      typedAt = now;
      const from = typed.length > 1 ? here : here + 1;
      const after = [...items.slice(from), ...items.slice(0, from)];
      after.find((item) => item.textContent.trim().toLowerCase().startsWith(typed))?.focus();
    }
  });
  document.addEventListener("click", (event) => {
    const list = event.target.closest?.(".menu-items");
    if (list && event.target.closest('[role="menuitem"]')) {
      buttonOf(list)?.focus();
      list.hidePopover();
    }
  });

  // ---- dialogs: a fragment put into #dialogs opens; closing takes it away ----
  const openDialogs = (from) => {
    for (const dialog of $$("dialog[data-open]", from)) {
      if (dialog.open || dialog.matches(".as-page")) continue;
      const before = document.activeElement;
      dialog.showModal();
      dialog.querySelector("[autofocus], input:not([type=hidden]), select, textarea")?.focus();
      // The focus may be on a button at the end: one begins to read at the beginning.
      dialog.scrollTop = 0;
      dialog.addEventListener("close", () => { dialog.remove(); before?.focus?.(); }, { once: true });
    }
  };
  document.addEventListener("click", (event) => {
    const closer = event.target.closest?.("[data-close]");
    const dialog = closer?.closest("dialog");
    if (dialog && !dialog.matches(".as-page")) {
      event.preventDefault();
      dialog.close();
    } else if (event.target.matches?.("dialog[open]")) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right
        && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) event.target.close();
    }
  });

  document.addEventListener("submit", (event) => {
    // A download leaves the page as it is; the dialog that asked for it is done.
    const dialog = event.target.matches("[data-closes-dialog]") && event.target.closest("dialog");
    if (dialog) setTimeout(() => dialog.close());
  });

  // ---- toasts, focus on the first problem, one-shot forms ----
  const settle = (from) => {
    for (const toast of $$("[data-toast]", from)) {
      setTimeout(() => toast.classList.add("leaving"), 5000);
      setTimeout(() => toast.remove(), 5500);
    }
    const wrong = from.querySelector?.("[data-focus], [aria-invalid=true]:not([data-live])");
    if (wrong && !isTyping(document.activeElement)) wrong.focus();
    openDialogs(from);
    for (const form of $$("form[data-submit-now]", from)) form.requestSubmit();
    if (globalThis.regularsPlots) globalThis.regularsPlots(from);
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-submit-on-change]")) event.target.form.requestSubmit();
  });

  // ---- after a morph: fields that nobody is in show what the server says ----
  const sync = (from) => {
    for (const field of $$("[data-sync] :is(select, input)", from)) {
      if (field === document.activeElement) continue;
      if (field.matches("select")) {
        const chosen = field.querySelector("option[selected]");
        if (chosen) field.value = chosen.value;
      } else if (field.matches("[type=checkbox], [type=radio]")) field.checked = field.defaultChecked;
      else field.value = field.defaultValue;
    }
  };

  // ---- unsaved work ----
  let unsaved = false;
  document.addEventListener("input", (event) => {
    // Fields that only look at something change nothing that could be lost.
    if (event.target.closest?.("form[data-guard]") && !event.target.matches("[data-look]")) unsaved = true;
  });
  document.addEventListener("submit", () => { unsaved = false; });
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  // ---- what was typed before htmx was at work, or is kept by a browser that goes back, is told to it ----
  const replay = () => {
    for (const field of $$("form[data-guard] :is(input, textarea):not([type=checkbox], [type=radio])")) {
      if (field.value !== field.defaultValue) field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  // ---- shortcuts ----
  let gone = -Infinity;
  const goTo = (key) => $$("[data-go]").find((link) => link.dataset.go === key)?.click();
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      const form = document.querySelector("form[data-guard]");
      if (form) { event.preventDefault(); form.requestSubmit(form.querySelector("[data-save]")); }
      return;
    }
    if (document.body.dataset.shortcuts !== "on" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.isComposing || isTyping(event.target) || document.querySelector("dialog[open], :popover-open")) return;
    const inGo = performance.now() - gone < 1200;
    gone = -Infinity;
    if (inGo) goTo(event.key);
    else if (event.key === "g") gone = performance.now();
    else if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === "n") document.querySelector("[data-new]")?.click();
    else if (event.key === "?") document.getElementById("shortcuts")?.click();
  });

  // ---- htmx: polling rests while hidden; a lost connection is said and forgotten again ----
  document.addEventListener("htmx:config:request", (event) => {
    const cause = event.detail.ctx?.sourceEvent?.type;
    if (cause === "every" && document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const one of $$("[data-live-poll]")) globalThis.htmx?.trigger(one, "shown");
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.error?.name === "AbortError") return;
    const notices = document.getElementById("notices");
    if (!notices || notices.querySelector(".offline")) return;
    const bar = document.createElement("div");
    bar.className = "banner warn offline";
    bar.textContent = document.body.dataset.offlineText;
    notices.append(bar);
  });
  document.addEventListener("htmx:after:request", () => {
    document.querySelector("#notices .offline")?.remove();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx?.target;
    sync(document);
    settle(target instanceof Element && target.isConnected ? target : document.body);
  });

  // ---- the stream: the server says that the chat has something new; it rests while nobody looks ----
  let stream = null;
  let pause = 1000;
  let wasOpen = false;
  const listen = async () => {
    const place = document.getElementById("help-stream");
    if (!place || stream || document.hidden) return;
    stream = new AbortController();
    try {
      const { ok, body } = await fetch("/help/stream", { signal: stream.signal });
      if (!ok) throw new Error("no stream");
      // What came while nobody listened is asked for.
      if (wasOpen) globalThis.htmx?.trigger(place, "chat");
      wasOpen = true;
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      let heard = "";
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        pause = 1000;
        heard = heard.slice(-20) + part.value;
        if (!heard.includes("event: chat\n")) continue;
        heard = "";
        globalThis.htmx?.trigger(place, "chat");
      }
    } catch {
      pause = Math.min(pause * 2, 60_000);
    }
    stream = null;
    setTimeout(listen, pause * (0.7 + Math.random() * 0.6));
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? stream?.abort() : listen()));

  const start = () => {
    listen();
    const menu = document.querySelector(".side-toggle");
    if (menu && matchMedia("(max-width: 860px)").matches) menu.open = false;
    settle(document.body);
    if (document.querySelector("[data-htmx-powered]")) replay();
    else document.addEventListener("htmx:after:process", replay, { once: true });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

// The help panel: opens when asked, never by itself; Enter sends, but not while a word is composed.
(() => {
  "use strict";
  const panel = () => document.getElementById("help-panel");
  const button = () => document.getElementById("help-button");

  const close = () => {
    const open = panel();
    if (!open || open.hidden) return;
    const held = open.contains(document.activeElement);
    open.hidden = true;
    // What nobody sees must not count as seen: the log would go on listening.
    open.replaceChildren();
    button().setAttribute("aria-expanded", "false");
    if (held) button().focus();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-help-close]")) {
      close();
    } else if (event.target.closest?.("#help-button") && !panel().hidden) {
      // Pressed again: close instead of asking the server once more.
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel()?.contains(document.activeElement)) close();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229
      && event.target.matches?.("[data-send-on-enter]")) {
      event.preventDefault();
      if (event.target.value.trim()) event.target.form.requestSubmit();
    }
  });

  const toEnd = () => {
    for (const log of document.querySelectorAll(".chat-log")) log.scrollTop = log.scrollHeight;
  };
  let sent = false;
  document.addEventListener("submit", (event) => { sent = event.target.matches(".composer"); }, true);
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx?.target;
    if (target?.id === "help-panel" && target.hidden) {
      target.hidden = false;
      button().setAttribute("aria-expanded", "true");
      document.getElementById("help-title").focus();
    }
    if (sent) {
      sent = false;
      document.querySelector(".composer textarea")?.focus();
    }
    toEnd();
  });
  document.addEventListener("DOMContentLoaded", toEnd);
})();
