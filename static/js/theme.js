// Runs before the first paint: the colours chosen on this machine, so that no page flashes.
(function () {
  try {
    const theme = localStorage.getItem("nightdesk-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (error) {
    // Storage may be forbidden: the system's choice holds.
  }
})();
