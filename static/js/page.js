// The little that every page needs beyond htmx: colours, menus, the dialog, the flash region, a guard for typed text.
(function () {
  "use strict";
  const root = document.documentElement;

  function showTheme() {
    for (const group of document.querySelectorAll("[data-theme-switch]")) {
      group.hidden = false;
      for (const button of group.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(button.value === root.dataset.theme));
      }
    }
  }

  function chooseTheme(theme) {
    root.dataset.theme = theme;
    try {
      localStorage.setItem("nightdesk-theme", theme);
    } catch (error) {
      // Not remembered, but shown.
    }
    showTheme();
  }

  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!except || !menu.contains(except)) menu.open = false;
    }
  }

  const dialog = () => document.getElementById("dialog");

  function closeDialog() {
    const box = dialog();
    if (box && box.open) box.close();
  }

  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    const choice = event.target.closest("[data-theme-switch] button");
    if (choice) chooseTheme(choice.value);
    const closer = event.target.closest("[data-dialog-close]");
    const box = dialog();
    if (closer && box && box.open && box.contains(closer)) {
      event.preventDefault();
      closeDialog();
    }
    if (box && event.target === box) closeDialog();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus();
  });

  // A box that ticks all others of its form; without JavaScript it is not shown.
  function showCheckAll(scope) {
    for (const box of scope.querySelectorAll("[data-check-all]")) box.hidden = false;
  }

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-check-all]")) return;
    for (const box of event.target.form.querySelectorAll("[type=checkbox][name]")) box.checked = event.target.checked;
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const box = dialog();
    const target = event.detail.target || event.target; // a history restore names none
    if (box && target.closest && target.closest("#dialog")) {
      const title = box.querySelector("h1, h2");
      if (title) box.setAttribute("aria-label", title.textContent);
      if (!box.open) box.showModal();
    }
    if (target.id === "flash") target.scrollIntoView({ block: "nearest" });
    // What was replaced as a whole is gone: the errors are in what stands there now.
    focusFirstError(target.isConnected ? target : document.getElementById(target.id) || target);
    giveFocusBack(target);
    showCheckAll(document);
    showCurrentTab();
  });

  // Of more tabs than the screen holds, the current one is in sight.
  function showCurrentTab() {
    for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
      const bar = tab.closest(".tabs");
      const [own, whole] = [tab, bar].map((one) => one.getBoundingClientRect());
      bar.scrollLeft += own.left - whole.left - (whole.width - own.width) / 2;
    }
  }

  // A swap that replaces what had the focus gives it to the same control of the new part, else to the part itself.
  let held = null;

  const placeOf = (one) => one.tagName + " " + (one.getAttribute("href") || (one.form && one.form.getAttribute("action")));

  document.addEventListener("htmx:beforeRequest", (event) => {
    const one = document.activeElement;
    if (one !== document.body && event.target.contains(one)) held = { place: placeOf(one), text: one.textContent };
  });

  for (const moved of ["focusin", "pointerdown"]) document.addEventListener(moved, () => (held = null));

  function giveFocusBack(part) {
    if (!held || document.activeElement !== document.body) return;
    const alike = [...document.querySelectorAll("a, button, input, select")].filter((one) => placeOf(one) === held.place);
    const found = alike.find((one) => one.textContent === held.text) || alike.find((one) => one.type !== "hidden");
    const now = found || document.getElementById(part.id);
    if (!now) return;
    if (!found) now.tabIndex = -1;
    now.focus({ preventScroll: true });
  }

  document.addEventListener("htmx:historyRestore", showTheme);

  // A view answers with `HX-Trigger: dialog-close` when what the dialog asked for is done.
  document.addEventListener("dialog-close", closeDialog);

  document.addEventListener("htmx:sendError", () => {
    const flash = document.getElementById("flash");
    const template = document.getElementById("offline-notice");
    if (flash && template) flash.replaceChildren(template.content.cloneNode(true));
  });

  function focusFirstError(scope) {
    const summary = scope.querySelector && scope.querySelector("[data-focus]");
    if (summary) summary.focus();
  }

  showTheme();
  showCheckAll(document);
  showCurrentTab();
  focusFirstError(document);
})();
