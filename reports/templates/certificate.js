"use strict";
(() => {
  // Strings of the target reach the page through text nodes only; nothing here parses HTML.
  const data = JSON.parse(document.getElementById("data").textContent);
  const FIRST = 10;
  const PAGE = 50;
  const [OPERATION, CLASS, LEVEL, VERDICT, REST, STATEMENT, SOURCE, EXPECTED, GOT, CHECK, REPRODUCE, WAIVER, DETAIL] = Array(13).keys();
  const byId = (id) => document.getElementById(id);
  const make = (tag, className, ...children) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };
  const button = (className, text, action) => {
    const element = make("button", className, text);
    element.type = "button";
    element.addEventListener("click", action);
    return element;
  };
  const counted = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
  const operationOf = (row) => data.operations[row[OPERATION]];
  const idOf = (operation, rest) => (rest.startsWith(":") ? operation + rest : rest);
  const verdictOf = (row) => data.verdicts[row[VERDICT]];
  const text = (row, column) => data.texts[row[column]];
  const titleOf = (row) => idOf(operationOf(row)[0], row[REST]);
  const haystack = (row) => `${titleOf(row)} ${data.groups[operationOf(row)[1]]} ${data.classes[row[CLASS]]} ${text(row, STATEMENT)} ${text(row, GOT)}`.toLowerCase();

  const copied = (pre) => {
    const element = button("copy", "Copy", async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent);
        element.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(pre);
        element.textContent = "Selected";
      }
      setTimeout(() => { element.textContent = "Copy"; }, 1500);
    });
    return element;
  };
  const block = (heading, className, content) => make("div", "", make("h4", "", heading), make("div", `said ${className}`, content || "not recorded"));
  const source = (heading, content) => {
    const pre = make("pre", "", content);
    return make("div", "", make("h4", "", heading, copied(pre)), pre);
  };

  const lanes = (timeline) => {
    const element = make("div", "lanes");
    element.style.gridTemplateColumns = `max-content repeat(${timeline.lanes.length}, minmax(84px, 1fr))`;
    element.append(make("div", "head"), ...timeline.lanes.map((name) => make("div", "head", name)));
    for (const [lane, label, time, note, well] of timeline.marks) {
      element.append(make("div", "time", time));
      timeline.lanes.forEach((_, number) => {
        const cell = make("div", "lane");
        if (number === lane) {
          const mark = make("div", `mark${lane === 0 ? " request" : ""}${well ? "" : " ill"}`, make("bdi", "", label));
          if (note) mark.append(make("small", "", make("bdi", "", note)));
          cell.append(mark);
        }
        element.append(cell);
      });
    }
    const whole = make("div", "", make("h4", "", "What happened, by the events' own clock"), element);
    if (timeline.more) whole.append(make("p", "none", `${counted(timeline.more, "more mark")} in the evidence`));
    return whole;
  };

  const inside = (row) => {
    const element = make("div", "inside");
    if (row[STATEMENT]) element.append(make("p", "statement", text(row, STATEMENT)));
    const origin = [text(row, SOURCE) && `Source: ${text(row, SOURCE)}`, text(row, CHECK) && `check: ${text(row, CHECK)}`].filter(Boolean).join(" · ");
    if (origin) element.append(make("p", "source", origin));
    element.append(make("div", "pair", block("Expected", "", text(row, EXPECTED)), block("Got", "got", text(row, GOT))));
    const detail = row[DETAIL] >= 0 ? data.details[row[DETAIL]] : null;
    if (detail) {
      if (detail.timeline) element.append(lanes(detail.timeline));
      if (detail.curl) element.append(source("Request", detail.curl), source("Answer", detail.answer));
    }
    if (row[WAIVER]) element.append(make("p", "source", `Waived by: ${row[WAIVER]}`));
    if (row[REPRODUCE]) element.append(make("p", "source", `Reproduce: sh ${row[REPRODUCE]}`));
    else if (!detail) element.append(make("p", "source", "The exchange stands in evidence.ndjson."));
    return element;
  };
  const finding = (row) => {
    const verdict = verdictOf(row);
    const element = make("details", `finding ${verdict}`);
    const symbol = make("i", "", data.symbols[verdict]);
    symbol.title = data.labels[verdict];
    element.append(make("summary", "", symbol, make("bdi", "id", titleOf(row)), make("span", "where", `${data.groups[operationOf(row)[1]]} · ${data.classes[row[CLASS]]}`), make("span", "level", data.levels[row[LEVEL]])));
    element.addEventListener("toggle", () => {
      if (element.open && element.children.length === 1) element.append(inside(row));
    });
    return element;
  };
  const listed = (rows, build, first = FIRST) => {
    const box = make("div");
    let next = 0;
    let size = first;
    const more = button("more", "", () => grow());
    const grow = () => {
      more.remove();
      box.append(...rows.slice(next, next + size).map(build));
      next += size;
      size = PAGE;
      if (next < rows.length) {
        more.textContent = `Show ${Math.min(size, rows.length - next)} more of ${(rows.length - next).toLocaleString("en")}`;
        box.append(more);
      }
    };
    grow();
    return box;
  };
  const chips = (box, choices, chosen, change) => {
    const buttons = choices.map(([value, label]) => button("", label, () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === buttons[choices.findIndex(([name]) => name === value)])));
      change(value);
    }));
    buttons.forEach((element, number) => element.setAttribute("aria-pressed", String(choices[number][0] === chosen)));
    box.replaceChildren(...buttons);
  };

  // Findings: what failed, could not be judged, or is waived.
  const state = { verdict: "", search: "" };
  const showFindings = () => {
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = data.findings.filter((row) => (!state.verdict || verdictOf(row) === state.verdict) && (!words.length || words.every((word) => haystack(row).includes(word))));
    const shortened = data.shortened.texts ? " Some texts are left out here and stand in certificate.json." : "";
    byId("found").textContent = (rows.length === data.findings.length ? counted(rows.length, "requirement") : `${rows.length.toLocaleString("en")} of ${counted(data.findings.length, "requirement")}`) + "." + shortened;
    byId("list").replaceChildren(listed(rows, finding));
  };
  if (data.findings.length) {
    const tally = (verdict) => data.findings.filter((row) => verdictOf(row) === verdict).length;
    const present = ["fail", "inconclusive", "waived", "reported"].filter(tally);
    const choices = [["", "All"], ...present.map((verdict) => [verdict, `${data.symbols[verdict]} ${tally(verdict).toLocaleString("en")} ${data.labels[verdict]}`])];
    chips(byId("verdicts"), choices, "", (verdict) => { state.verdict = verdict; showFindings(); });
    byId("search").addEventListener("input", (event) => { state.search = event.target.value; showFindings(); });
    if (location.hash.length > 1) {
      try { state.search = byId("search").value = decodeURIComponent(location.hash.slice(1)); } catch { /* a fragment that is no text */ }
    }
    byId("findings").hidden = false;
    showFindings();
  }

  // The grid.
  const tableRows = [...document.querySelectorAll("tr[data-group]")];
  const operationsOf = data.groups.map(() => []);
  for (const [name, group] of data.operations) operationsOf[group].push(name);
  const grid = { kind: "", search: "" };
  const close = () => {
    document.querySelectorAll("tr.drawer").forEach((element) => element.remove());
    document.querySelectorAll("button[aria-expanded=true]").forEach((element) => element.setAttribute("aria-expanded", "false"));
  };
  const showRows = () => {
    close();
    const word = grid.search.trim().toLowerCase();
    let shown = 0;
    tableRows.forEach((row) => {
      const group = Number(row.dataset.group);
      const named = !word || [data.groups[group], ...operationsOf[group]].some((name) => name.toLowerCase().includes(word));
      const visible = named && (!grid.kind || row.querySelector(`.cell.${grid.kind}`));
      row.hidden = !visible;
      if (visible) shown += 1;
    });
    byId("no-rows").hidden = shown > 0;
  };
  const passing = ([operation, , verdict, places]) => {
    const name = data.operations[operation][0];
    const element = make("details", "passing");
    element.append(make("summary", "", `${data.symbols[data.verdicts[verdict]]} `, make("bdi", "", name), ` ${places.length.toLocaleString("en")} ${data.labels[data.verdicts[verdict]]}`));
    element.addEventListener("toggle", () => {
      if (!element.open || element.children.length > 1) return;
      const known = places.filter((place) => place).map((place) => data.names[place]);
      element.append(make("ul", "", ...known.map((rest) => make("li", "", make("bdi", "", rest.startsWith(":") ? rest.slice(1) : rest)))));
      if (known.length < places.length) element.append(make("p", "none", `${counted(places.length - known.length, "more id")} in certificate.json`));
    });
    return element;
  };
  const drawer = (group, cls) => {
    const content = make("td", "");
    content.colSpan = data.classes.length + 1;
    content.append(make("h3", "", make("bdi", "", data.groups[group]), ` · ${data.classes[cls]}`));
    const here = ([operation, number]) => data.operations[operation][1] === group && number === cls;
    const findings = data.findings.filter(here);
    if (findings.length) content.append(listed(findings, finding));
    content.append(listed(data.passing.filter(here), passing, PAGE));
    return make("tr", "drawer", content);
  };
  tableRows.forEach((row) => row.addEventListener("click", (event) => {
    const cell = event.target.closest("button[data-class]");
    if (!cell) return;
    const open = cell.getAttribute("aria-expanded") === "true";
    close();
    if (open) return;
    cell.setAttribute("aria-expanded", "true");
    row.after(drawer(Number(row.dataset.group), Number(cell.dataset.class)));
  }));
  const kinds = ["fail", "inconclusive", "waived"].filter((kind) => document.querySelector(`.cell.${kind}`));
  if (kinds.length) {
    chips(byId("states"), [["", "All groups"], ...kinds.map((kind) => [kind, `${data.symbols[kind]} ${data.labels[kind]}`])], "", (kind) => { grid.kind = kind; showRows(); });
  }
  byId("filter").addEventListener("input", (event) => { grid.search = event.target.value; showRows(); });
})();
