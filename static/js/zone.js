// Fills in the zone of this browser where nobody has chosen one yet. Without JavaScript the list is just a list.
(function () {
  "use strict";
  const list = document.querySelector("select[data-guess-zone]");
  if (!list) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (list.querySelector(`option[value="${CSS.escape(zone)}"]`)) list.value = zone;
})();
