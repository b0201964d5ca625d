// What helps and is not needed: live pages, keys, one click for one start, copying ids. Every page works without it.
"use strict";
(() => {
  const live = document.getElementById("live");

  // Changes `old` into `fresh` in place, so that focus, scroll, chosen rows and opened parts stay. Children with the
  // same data-key are the same, wherever they stand; others are compared one after the other.
  const morph = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
    if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
    const kept = old.nodeName === "DETAILS" ? ["open"] : ["hidden", "class"];
    const keep = (name) => kept.includes(name) && (name !== "class" || old.nodeName === "TR");
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !keep(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && !keep(name)) old.setAttribute(name, value);
    const keyed = new Map([...old.children].filter((one) => one.dataset.key).map((one) => [one.dataset.key, one]));
    let place = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const same = child.dataset?.key ? keyed.get(child.dataset.key) : place?.dataset?.key ? null : place;
      if (same) {
        if (same !== place) old.insertBefore(same, place); else place = place.nextSibling;
        morph(same, child);
      } else old.insertBefore(child, place);
    }
    while (place) { const next = place.nextSibling; place.remove(); place = next; }
  };

  if (live && "live" in document.body.dataset) {
    const pause = document.querySelector("[data-pause]");
    let source = null, isPaused = false;
    const listen = () => {
      if (source || isPaused || document.hidden) return;
      source = new EventSource(location.pathname + location.search);
      source.onmessage = (event) => {
        const fresh = live.cloneNode(false);
        fresh.innerHTML = event.data;
        morph(live, fresh);
        ready();
      };
      source.addEventListener("reload", () => { stop(); location.reload(); });
    };
    const stop = () => { source?.close(); source = null; };
    document.addEventListener("visibilitychange", () => document.hidden ? stop() : listen());
    addEventListener("pagehide", stop);
    if (pause) {
      pause.hidden = false;
      pause.addEventListener("click", () => {
        isPaused = !isPaused;
        pause.textContent = isPaused ? "Go on" : "Pause";
        isPaused ? stop() : listen();
      });
    }
    listen();
  }

  // A form that starts something is sent once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "post") {
      form.dataset.sent = "yes";
      setTimeout(() => delete form.dataset.sent, 10000);
    }
  });
  addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

  const ready = () => {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  });
  ready();

  // Keys, unless somebody types.
  const rows = () => [...document.querySelectorAll("[data-rows] tbody tr")];
  const current = () => document.querySelector("[data-rows] tr.current");
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
    current()?.classList.remove("current");
    next.classList.add("current");
    next.scrollIntoView({ block: "nearest" });
    next.querySelector("[data-open]")?.focus({ preventScroll: true });
  };
  const keys = {
    "/": () => {
      const search = document.querySelector("[data-search]");
      search ? search.focus() : location.assign("/admin/operations");
    },
    j: () => move(1),
    k: () => move(-1),
    o: () => current()?.querySelector("[data-open]")?.click(),
    x: () => current()?.querySelector("input[type=checkbox]")?.click(),
    r: () => location.reload(),
    t: () => document.querySelector("[data-shortcut=t]")?.click(),
    "?": () => document.getElementById("keys")?.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]),select,textarea,dialog[open]")) return;
    const action = keys[event.key];
    if (action) { event.preventDefault(); action(); }
  });
})();
