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
