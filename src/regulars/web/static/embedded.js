// Inside the Shopify admin there are no cookies: each address that is gone to, and each form that is
// sent, carries a fresh session token. What htmx fetches gets one from App Bridge.
"use strict";

(() => {
  const token = () => window.shopify.idToken();

  // The token in the address is of no use for longer than a minute; the shop says who may frame a
  // page that is loaded again.
  const here = new URL(location.href);
  const shop = document.querySelector("meta[name=regulars-shop]").content;
  here.searchParams.delete("id_token");
  here.searchParams.delete("told");
  here.searchParams.set("shop", shop);
  history.replaceState(null, "", here.href);

  window.addEventListener("click", async (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href]");
    const special = event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (!link || event.defaultPrevented || special || link.target) return;
    const address = new URL(link.href, location.href);
    const isHere = address.pathname === location.pathname && address.search === location.search;
    if (address.origin !== location.origin || (isHere && address.hash)) return;
    event.preventDefault();
    address.searchParams.set("id_token", await token());
    location.assign(address.href);
  });

  const keep = (form, name, value) => {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    form.append(field);
  };

  window.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog") return;
    event.preventDefault();
    if (event.submitter && event.submitter.name) keep(form, event.submitter.name, event.submitter.value);
    keep(form, "id_token", await token());
    HTMLFormElement.prototype.submit.call(form);
  });
})();
