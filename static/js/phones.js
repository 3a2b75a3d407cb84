// Sandbox phones: the newest text is in view, and a sent answer leaves its field empty.
(function () {
  "use strict";

  function showNewest(scope) {
    for (const screen of scope.querySelectorAll("[data-phone]")) screen.scrollTop = screen.scrollHeight;
  }

  document.addEventListener("DOMContentLoaded", () => showNewest(document));
  document.addEventListener("htmx:afterSettle", () => showNewest(document));
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest("form.phone-form");
    if (form && event.detail.successful) form.reset();
  });
})();
