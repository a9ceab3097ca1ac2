// What is kept up to date, and waits for whoever is at it: a click ends where it began, and nothing that is chosen is lost.
(() => {
  "use strict";

  // What is pressed now. A moment longer than it is, so that its click comes first.
  let pressed = null;
  let touched = Date.now();
  const released = [];
  document.addEventListener("pointerdown", ({ target }) => {
    pressed = target;
    touched = Date.now();
  });
  for (const name of ["pointerup", "pointercancel"])
    document.addEventListener(name, () => setTimeout(() => {
      pressed = null;
      for (const then of released.splice(0)) then();
    }, 50));
  document.addEventListener("keydown", () => (touched = Date.now()));

  // Somebody marks a text of it, or has the keyboard in it: not for ever, who went away left the keyboard there.
  const isAt = (part) => {
    const chosen = getSelection();
    const isHere = Date.now() - touched < 60_000;
    return (!chosen.isCollapsed && part.contains(chosen.anchorNode)) || (isHere && part.contains(document.activeElement));
  };
  const isBusy = (part) =>
    part.contains(pressed) || part.querySelector("tbody input[type=checkbox]:checked") || isAt(part.querySelector("tbody") ?? part);

  // An answer does not take the place of what is pressed. What is kept up to date comes again anyway; what somebody asked for is
  // asked for again once nothing is pressed any more.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { target, requestConfig, xhr } = detail;
    const { elt, triggeringEvent } = requestConfig ?? {};
    const trigger = elt?.getAttribute("hx-trigger") ?? "";
    if (trigger === "refresh" || trigger.startsWith("every")) {
      if (isBusy(target)) detail.shouldSwap = false;
    } else if (detail.shouldSwap && target.contains(pressed)) {
      if (triggeringEvent && elt.matches("form")) released.push(() => elt.isConnected && elt.requestSubmit());
      else if (trigger.startsWith("load")) released.push(() => target.isConnected && htmx.swap(target, xhr.response, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 20 }));
      else return;
      detail.shouldSwap = false;
    }
  });

  // What takes a place has ticked what was ticked there, and the keyboard where it was.
  let before = null;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { target } = detail;
    const ticked = [...target.querySelectorAll("tbody input[type=checkbox]:checked")].map((box) => box.value);
    const place = target.contains(document.activeElement) && document.activeElement.getAttribute("href");
    before = { ticked, place };
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    // Events bring parts that have nothing of that.
    if (!before || !detail.target) return;
    const { ticked, place } = before;
    before = null;
    const part = document.getElementById(detail.target.id) ?? detail.target;
    for (const box of part.querySelectorAll("tbody input[type=checkbox]")) if (ticked.includes(box.value)) box.checked = true;
    if (place && document.activeElement === document.body) part.querySelector(`a[href="${CSS.escape(place)}"]`)?.focus({ preventScroll: true });
    document.dispatchEvent(new Event("ticked"));
  });

  // Every two seconds, or as many times two as a part says: data-refreshed="3". Not where nobody looks, or somebody said that it
  // shall stay.
  let round = 0;
  setInterval(() => {
    round += 1;
    if (document.visibilityState !== "visible") return;
    for (const part of document.querySelectorAll("[data-refreshed]")) {
      if (round % (Number(part.dataset.refreshed) || 1) !== 0) continue;
      const keeper = document.querySelector(`[data-keeps="${CSS.escape(part.id)}"]`);
      if (keeper?.checked !== false && !isBusy(part)) part.dispatchEvent(new Event("refresh"));
    }
  }, 2000);

  // A part of the live page that somebody is at keeps the latest of what came meanwhile.
  const waiting = new Map();
  const isHeld = (part) => part.contains(pressed) || isAt(part);
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    waiting.delete(event.target);
    if (!isHeld(event.target)) return;
    event.preventDefault();
    waiting.set(event.target, event.detail.data);
  });
  setInterval(() => {
    for (const [part, data] of waiting) {
      if (isHeld(part)) continue;
      waiting.delete(part);
      if (part.isConnected) htmx.swap(part, data, { swapStyle: "innerHTML", swapDelay: 0, settleDelay: 20 });
    }
  }, 250);

  // Whether the page is live. A service that hangs closes nothing: something comes every two seconds, or the page is old.
  const SILENCE = 8000;
  let heard = 0;
  const say = (is, words) => {
    for (const place of document.querySelectorAll("[data-live]")) {
      if (place.textContent === words) continue;
      place.dataset.live = is ? "yes" : "no";
      place.textContent = words;
    }
  };
  const hears = () => {
    heard = Date.now();
    say(true, "live");
  };
  // A session that ended elsewhere: sign in, and come back.
  let asked = 0;
  const asksWho = async () => {
    if (Date.now() - asked < 2000) return;
    asked = Date.now();
    const me = await fetch("/api/v1/me", { cache: "no-store", signal: AbortSignal.timeout(5000) }).catch(() => null);
    if (me?.status === 401) location.assign(`/sign-in?return_to=${encodeURIComponent(location.pathname + location.search)}`);
  };
  const isSilent = () => say(false, "not live: the service does not answer");
  setInterval(() => {
    if (heard && Date.now() - heard > SILENCE) isSilent();
  }, 1000);
  document.addEventListener("htmx:sseBeforeMessage", hears);
  document.addEventListener("htmx:sseOpen", hears);
  document.addEventListener("htmx:sseError", () => {
    isSilent();
    asksWho();
  });
  document.addEventListener("htmx:sseClose", ({ detail }) => {
    heard = 0;
    if (detail.type === "message") say(false, "not live: too many pages are open; close some, then reload");
  });
})();
