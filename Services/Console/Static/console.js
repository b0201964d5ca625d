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

  // What a person is told while pages are open: on each of them, and not again on those that are opened later. It stays
  // until it is closed.
  const news = document.querySelector("[data-news]");
  const shownAtOnce = 3, remembered = 100, shown = new Set();
  const isNew = (id) => {
    const told = JSON.parse(localStorage.getItem("told") ?? "[]");
    const before = told.find((one) => one.id === id);
    if (!before) localStorage.setItem("told", JSON.stringify([{ id, at: Date.now() }, ...told].slice(0, remembered)));
    return !shown.has(id) && !(before && before.at < performance.timeOrigin);
  };
  news?.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".told").remove());

  // Listens while somebody looks at the page: to its own changes, if it has any and is not paused, and in any case to what
  // is new. With one connection: a browser has six to a place.
  let source = null, isPaused = false, isOver = false;
  const isLive = live && "live" in document.body.dataset;
  const events = {
    message: (event) => {
      const fresh = live.cloneNode(false);
      fresh.innerHTML = event.data;
      morph(live, fresh);
      ready();
    },
    reload: () => { isOver = true; listen(); location.reload(); },
    ended: (event) => {
      if (!isNew(event.lastEventId)) return;
      shown.add(event.lastEventId);
      news.insertAdjacentHTML("beforeend", event.data);
      while (news.children.length > shownAtOnce) news.firstElementChild.remove();
    },
    unread: (event) => {
      for (const count of document.querySelectorAll("[data-unread]")) count.textContent = event.data;
    },
  };
  // With how old the page is, in seconds: what was told in the meantime is told, too.
  const address = () => {
    const place = isLive && !isPaused ? location.pathname + location.search : news.dataset.news;
    return `${place}${place.includes("?") ? "&" : "?"}age=${Math.ceil(performance.now() / 1000)}`;
  };
  const listen = () => {
    source?.close();
    source = null;
    if (!news || isOver || document.hidden) return;
    source = new EventSource(address());
    for (const [name, take] of Object.entries(events)) source.addEventListener(name, take);
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => { isOver = true; listen(); });
  addEventListener("pageshow", () => { isOver = false; listen(); });

  const button = document.querySelector("[data-pause]");
  if (button && isLive) {
    button.hidden = false;
    button.addEventListener("click", () => {
      isPaused = !isPaused;
      button.textContent = isPaused ? "Go on" : "Pause";
      listen();
    });
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

  // The zone that the browser is in is likelier than the one that nobody chose.
  for (const field of document.querySelectorAll("[data-zone]")) {
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
  }

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
