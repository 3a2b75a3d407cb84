// The requester's forms: sizes are checked before a slow line carries them, photos can be pasted, a draft survives.
(function () {
  "use strict";

  function megabytes(size) {
    return Math.round(size / 1e6) + " MB";
  }

  function complaint(input) {
    const files = Array.from(input.files);
    const data = input.dataset;
    if (files.length > Number(data.most)) return "At most " + data.most + " files at once, please.";
    const large = files.find((file) => file.size > Number(data.mostBytes));
    if (large) return large.name + " is " + megabytes(large.size) + "; a file may have up to " + megabytes(data.mostBytes) + ".";
    const total = files.reduce((sum, file) => sum + file.size, 0);
    return total > Number(data.mostTotal) ? "These files are more than " + megabytes(data.mostTotal) + " together." : "";
  }

  function checkFiles(form) {
    const input = form.querySelector("input[type=file]");
    const note = form.querySelector("[data-file-note]");
    if (!input || !note) return true;
    const wrong = complaint(input);
    const names = Array.from(input.files, (file) => file.name);
    note.textContent = wrong || (names.length > 1 ? names.join(", ") : "");
    note.classList.toggle("field-message", Boolean(wrong));
    return !wrong;
  }

  function paste(form, event) {
    const input = form.querySelector("input[type=file]");
    const pasted = event.clipboardData ? Array.from(event.clipboardData.files) : [];
    if (!input || !pasted.length) return;
    event.preventDefault();
    const all = new DataTransfer();
    for (const file of [...input.files, ...pasted]) all.items.add(file);
    input.files = all.files;
    checkFiles(form);
  }

  const kept = (form) => Array.from(form.elements).filter((e) => /^(text|email|tel|textarea)$/.test(e.type) && e.name !== "website");

  function keepDraft(form, name) {
    try {
      sessionStorage.setItem(name, JSON.stringify(Object.fromEntries(kept(form).map((e) => [e.name, e.value]))));
    } catch (error) {
      // A full or closed storage: the form still works.
    }
  }

  function bringBack(form, name) {
    let draft = null;
    try {
      draft = JSON.parse(sessionStorage.getItem(name) || "null");
    } catch (error) {
      return;
    }
    for (const control of draft ? kept(form) : []) if (!control.value && draft[control.name]) control.value = draft[control.name];
  }

  function forget(name) {
    try {
      sessionStorage.removeItem("nightdesk-" + name);
    } catch (error) {
      // Nothing was kept then.
    }
  }

  function send(form, event) {
    const isSend = !event.submitter || !event.submitter.name;
    if (isSend && !checkFiles(form)) {
      event.preventDefault();
      form.querySelector("input[type=file]").focus();
    } else if (form.dataset.isSending) {
      event.preventDefault();
    } else if (isSend) {
      form.dataset.isSending = "yes";
      form.querySelector("[data-sending-note]").textContent = form.dataset.sending;
    } else {
      forget(form.dataset.draft);
    }
  }

  for (const done of document.querySelectorAll("[data-draft-done]")) forget(done.dataset.draftDone);
  for (const form of document.querySelectorAll("form[data-draft]")) {
    const name = "nightdesk-" + form.dataset.draft;
    if (form.id === "reply-form" && document.querySelector("#flash .notice-good")) forget(form.dataset.draft);
    bringBack(form, name);
    form.addEventListener("input", () => keepDraft(form, name));
    form.addEventListener("change", () => checkFiles(form));
    form.addEventListener("submit", (event) => send(form, event));
    document.addEventListener("paste", (event) => paste(form, event));
    // The back button may show the page as it was left.
    window.addEventListener("pageshow", () => {
      delete form.dataset.isSending;
      form.querySelector("[data-sending-note]").textContent = "";
    });
  }
})();
