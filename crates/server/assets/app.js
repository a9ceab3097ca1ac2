// What pages do by themselves: times in the viewer's zone, colours, menus, messages, and questions before something is lost.
(() => {
  "use strict";
  const root = document.documentElement;

  // Times: today the hour, else the day too, and the year where it is another; the whole instant on hover.
  const minute = { hour: "numeric", minute: "2-digit" };
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const short = new Intl.DateTimeFormat(undefined, minute);
  const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", ...minute });
  const year = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", ...minute });
  const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  const date = new Intl.DateTimeFormat(undefined, { weekday: "short", month: "short", day: "numeric", timeZone: "UTC" });
  const times = (within) => {
    // Dates are those of a zone that the page names.
    for (const element of within.querySelectorAll("time[data-day]")) element.textContent = date.format(new Date(element.getAttribute("datetime")));
    for (const element of within.querySelectorAll("time[datetime]:not([title], [data-day])")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const now = new Date();
      const today = "clock" in element.dataset ? short : clock;
      const past = at.getFullYear() === now.getFullYear() ? day : year;
      element.textContent = (at.toDateString() === now.toDateString() ? today : past).format(at);
      element.title = whole.format(at);
    }
  };

  // Fields that hold an instant are filled in in the viewer's zone, and sent as what they mean everywhere.
  const instants = (within) => {
    for (const field of within.querySelectorAll("input[type=datetime-local][data-instant]")) {
      const at = new Date(field.dataset.instant);
      if (Number.isNaN(at.getTime())) continue;
      const local = new Date(at.getTime() - at.getTimezoneOffset() * 60000);
      field.value = local.toISOString().slice(0, 16);
    }
  };
  const asInstants = (form, data) => {
    for (const field of form.querySelectorAll("input[type=datetime-local][name]")) {
      if (field.value) data.set(field.name, new Date(field.value).toISOString());
    }
  };
  document.addEventListener("formdata", (event) => {
    asInstants(event.target, event.formData);
    // Addresses of searches name only what was filled in.
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = (within) => {
    for (const field of within.querySelectorAll("input[name=time_zone][data-viewer]")) field.value ||= zone;
    for (const place of within.querySelectorAll("[data-zone]")) place.textContent = zone;
  };

  // What somebody opened stays so when its place is filled anew.
  const opened = new Set();
  document.addEventListener("toggle", (event) => {
    const { kept } = event.target.dataset ?? {};
    if (kept && event.target.isConnected) opened[event.target.open ? "add" : "delete"](kept);
  }, true);
  const unfold = (within) => {
    for (const part of within.querySelectorAll("details[data-kept]")) if (opened.has(part.dataset.kept)) part.open = true;
  };

  const dress = (within) => {
    unfold(within);
    times(within);
    instants(within);
    zones(within);
  };

  // Without TLS browsers give no clipboard: then what stands beside the button is selected, and copied as people do it.
  const copy = async (button) => {
    let copied = true;
    try {
      await navigator.clipboard.writeText(button.dataset.copies);
    } catch {
      button.parentElement.querySelector("input")?.select();
      copied = document.execCommand("copy");
    }
    button.textContent = copied ? "Copied" : "Press Ctrl+C";
  };

  // Colours.
  const isDark = () =>
    (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const turn = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    document.dispatchEvent(new Event("theme"));
  };

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-turn-theme]")) turn();
    const copier = at("[data-copies]");
    if (copier) copy(copier);
    const all = at("input[data-ticks]");
    if (all) {
      for (const box of document.querySelectorAll(`input[name="${CSS.escape(all.dataset.ticks)}"]`)) box.checked = all.checked;
      document.dispatchEvent(new Event("ticked"));
    } else if (at("input[type=checkbox]")) document.dispatchEvent(new Event("ticked"));
    const menu = document.getElementById("menu");
    if (at("[data-menu]")) {
      const open = menu.classList.toggle("open");
      at("[data-menu]").setAttribute("aria-expanded", String(open));
    }
  });

  // How many are ticked.
  document.addEventListener("ticked", () => {
    for (const place of document.querySelectorAll("[data-ticked]")) {
      const many = document.querySelectorAll(`input[name="${CSS.escape(place.dataset.ticked)}"]:checked`).length;
      place.textContent = String(many);
    }
  });

  // A form that takes something away asks first, where it says what it asks. Escape and the first button leave all as it is.
  let agreed = null;
  const ask = (question, form, submitter) => {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "question");
    const text = document.createElement("p");
    text.id = "question";
    text.textContent = question;
    const button = (words, kind) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = words;
      made.className = kind;
      return made;
    };
    const [no, yes] = [button("Leave it", ""), button(submitter?.firstChild?.textContent.trim() || "Yes", "danger")];
    yes.dataset.agrees = "";
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => {
      dialog.close();
      agreed = form;
      form.requestSubmit(submitter);
      agreed = null;
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      submitter?.focus();
    });
    const buttons = document.createElement("div");
    buttons.className = "buttons";
    buttons.append(no, yes);
    dialog.append(text, buttons);
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.asks ?? event.target.dataset.asks;
    if (!question || agreed === event.target) return;
    event.preventDefault();
    event.stopPropagation();
    ask(question, event.target, event.submitter);
  }, true);

  // A file that is dropped on its place.
  document.addEventListener("dragover", (event) => {
    const place = event.target.closest("[data-drop]");
    if (!place) return;
    event.preventDefault();
    place.classList.add("over");
  });
  // Beside its place it would be opened instead of this page.
  for (const name of ["dragover", "drop"])
    document.addEventListener(name, (event) => {
      if (document.querySelector("[data-drop]")) event.preventDefault();
    });
  document.addEventListener("dragleave", (event) => event.target.closest("[data-drop]")?.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    const place = event.target.closest("[data-drop]");
    if (!place) return;
    event.preventDefault();
    place.classList.remove("over");
    const field = place.querySelector("input[type=file]");
    field.files = event.dataTransfer.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // Parts of the page that htmx brought; and answers that say why not, which it would drop.
  document.addEventListener("htmx:load", (event) => dress(event.detail.elt));
  document.addEventListener("htmx:beforeSwap", (event) => {
    const status = event.detail.xhr.status;
    if (status >= 400 && event.detail.xhr.getResponseHeader("hx-retarget")) event.detail.shouldSwap = true;
  });
  document.addEventListener("htmx:beforeRequest", () => {
    const messages = document.getElementById("messages");
    if (messages) messages.textContent = "";
  });
  document.addEventListener("htmx:sendError", () => {
    const messages = document.getElementById("messages");
    if (!messages) return;
    const line = document.createElement("p");
    line.className = "message bad";
    line.setAttribute("role", "alert");
    line.textContent = "The service does not answer. What you see is as old as its time says.";
    messages.replaceChildren(line);
  });
  // What is filled in below a choice chooses it.
  document.addEventListener("input", (event) => {
    const chosen = event.target.dataset?.chooses;
    const choice = chosen && event.target.form?.querySelector(`input[type=radio][value="${CSS.escape(chosen)}"]`);
    if (choice) choice.checked = true;
  });

  // What was shown of a file is not of another one, nor of another way to take it.
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-uploads]")) document.querySelector("#preview")?.replaceChildren();
  });

  // How much of a file is sent.
  const sent = (form, share) => {
    const bar = form.querySelector?.("progress");
    if (!bar || !("uploads" in form.dataset)) return;
    bar.classList.toggle("hidden", share == null);
    bar.value = share ?? 0;
  };
  document.addEventListener("htmx:beforeRequest", (event) => sent(event.target, 0));
  document.addEventListener("htmx:xhr:progress", (event) => {
    const { loaded, total, lengthComputable } = event.detail;
    if (lengthComputable && total > 0) sent(event.target, loaded / total);
  });
  document.addEventListener("htmx:afterRequest", (event) => sent(event.target, null));

  document.addEventListener("DOMContentLoaded", () => dress(document));
})();
