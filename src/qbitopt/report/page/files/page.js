'use strict';
// Texts from configurations and logs are added to the page only as text nodes, never as markup.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const byId = (id) => document.getElementById(id);
  const SVG = 'http://www.w3.org/2000/svg';

  // element('td', {class: 'number'}, 'text', child, ...)
  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== null));
    return node;
  }
  function svg(tag, attributes = {}, text = '') {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = text;
    return node;
  }
  const remembered = {
    get(name) { try { return JSON.parse(sessionStorage.getItem(`qbitopt ${name}`)); } catch { return null; } },
    set(name, value) { try { sessionStorage.setItem(`qbitopt ${name}`, JSON.stringify(value)); } catch { /* not kept */ } },
  };

  // ---- Numbers and times

  const digits = (value, count) => value === null ? '' : value.toFixed(count);
  const significant = (value) => Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  function duration(seconds) {
    if (seconds === null) return '';
    if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    if (seconds < 6000) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.round(seconds % 3600 / 60)} min`;
  }
  const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
  const bytes = (count) => count === null ? '' : count >= 1e6 ? `${(count / 1e6).toFixed(2)} MB` : `${(count / 1e3).toFixed(1)} kB`;

  // ---- Tables that sort and filter

  const cellValue = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };
  function sortBy(table, column, direction) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const sign = direction === 'ascending' ? 1 : -1;
    const isNumeric = table.tHead.rows[0].cells[column].classList.contains('number');
    const isMissing = (value) => value === '' || (isNumeric && Number.isNaN(Number(value)));
    rows.sort((a, b) => {
      const [x, y] = [cellValue(a, column), cellValue(b, column)];
      if (isMissing(x) || isMissing(y)) return isMissing(x) - isMissing(y);  // last, either way
      return sign * (isNumeric ? x - y : x.localeCompare(y, 'en', {numeric: true}));
    });
    body.append(...rows);
    for (const [i, head] of [...table.tHead.rows[0].cells].entries()) {
      if (i === column) head.setAttribute('aria-sort', direction); else head.removeAttribute('aria-sort');
    }
    if (table.id !== '') remembered.set(`sort ${table.id}`, [column, direction]);
  }
  function makeSortable(table) {
    if (!table.tHead || table.tHead.rows.length !== 1) return;
    for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
      const button = element('button', {type: 'button'});
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => {
        sortBy(table, column, head.getAttribute('aria-sort') === 'ascending' ? 'descending' : 'ascending');
      });
    }
    const before = table.id === '' ? null : remembered.get(`sort ${table.id}`);
    if (before && before[0] < table.tHead.rows[0].cells.length) sortBy(table, ...before);
  }
  function makeFilterable(tools) {
    const place = byId(tools.dataset.table);  // a table, or what holds several
    const words = tools.querySelector('input');
    const state = tools.querySelector('select');
    const count = tools.querySelector('.count');
    const apply = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = [...place.querySelectorAll('tbody > tr')];
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word))
          || (state !== null && state.value !== '' && row.dataset.state !== state.value);
        shown += row.hidden ? 0 : 1;
      }
      count.textContent = shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
      remembered.set(`filter ${place.id}`, [words.value, state === null ? '' : state.value]);
    };
    const before = remembered.get(`filter ${place.id}`);
    if (before) { words.value = before[0]; if (state !== null) state.value = before[1]; }
    words.addEventListener('input', apply);
    if (state !== null) state.addEventListener('change', apply);
    apply();
  }

  // ---- Copying

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = element('textarea', {'aria-hidden': 'true'});
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
  }
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button.copy');
    if (button === null) return;
    await copy(button.parentElement.querySelector('pre').textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button.csv');
    if (button === null) return;
    const address = URL.createObjectURL(new Blob([data.csv[button.dataset.figure]], {type: 'text/csv'}));
    element('a', {href: address, download: `${button.dataset.figure}.csv`}).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  });
  const codeBlock = (text) => element('div', {class: 'code'},
    element('button', {type: 'button', class: 'plain copy'}, 'Copy'), element('pre', {tabindex: '0'}, text));

  // ---- The list of all runs

  const runs = data.runs.rows.map((row) => Object.fromEntries(data.runs.fields.map((field, i) => [field, row[i]])));
  const runByJob = new Map(runs.map((run) => [run.job, run]));
  const shownState = (run) => run.state === 'finished' && run.budget_met === 0 ? 'missed' : run.state;
  const stateMark = (run) => element('span', {class: `state ${shownState(run)}`}, shownState(run));
  const budgetText = (run) => run.budget === null ? '' : `${run.budget} ${run.budget_unit}`;
  const bitsPair = (run) => run.weight_bits === null ? '' : `${digits(run.weight_bits, 2)} / ${digits(run.activation_bits, 2)}`;

  const listColumns = [
    {title: 'Job', cell: (run) => element('a', {href: `#run-${run.job}`, class: 'key'}, run.job), value: (run) => run.job},
    {title: 'Method', cell: (run) => run.method},
    {title: 'Setting', cell: (run) => run.setting, when: () => runs.some((run) => run.setting !== '')},
    {title: 'Budget', number: true, cell: (run) => budgetText(run), value: (run) => run.budget},
    {title: 'Seed', number: true, cell: (run) => run.seed === null ? '' : String(run.seed)},
    {title: 'State', cell: stateMark, value: shownState},
    {title: 'Top-1 [%]', number: true, cell: (run) => digits(run.top1, 2), value: (run) => run.top1},
    {title: 'Loss', number: true, cell: (run) => digits(run.loss, 4), value: (run) => run.loss},
    {title: 'Bits W / A', number: true, cell: bitsPair, value: (run) => run.weight_bits},
    {title: 'Time', number: true, cell: (run) => duration(run.seconds), value: (run) => run.seconds},
  ].filter((column) => !column.when || column.when());

  function fillRuns(table) {
    table.tHead.append(element('tr', {}, ...listColumns.map((column) =>
      element('th', {scope: 'col', class: column.number ? 'number' : null}, column.title))));
    for (const run of runs) {
      table.tBodies[0].append(element('tr', {'data-state': shownState(run)}, ...listColumns.map((column) =>
        element('td', {class: column.number ? 'number' : null,
          'data-value': column.value ? String(column.value(run) ?? '') : null}, column.cell(run)))));
    }
  }

  // ---- One run

  const name = (run) => [run.method, budgetText(run), `seed ${run.seed}`]
    .filter(Boolean).join(' · ');

  // Round numbers between low and high, about `count`.
  function ticks(low, high, count = 5) {
    const raw = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw);
    const list = [];
    for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) list.push(Number(value.toPrecision(12)));
    return list;
  }

  const [chartWidth, chartHeight, left, right, top, bottom] = [480, 230, 52, 18, 10, 28];
  function lineChart(metric, curves) {
    const steps = curves.flatMap((curve) => curve.steps);
    const values = curves.flatMap((curve) => curve.values);
    const [firstStep, lastStep] = [Math.min(...steps), Math.max(...steps)];
    let [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
    [low, high] = [low - margin, high + margin];
    const x = (step) => left + (step - firstStep) / (lastStep - firstStep || 1) * (chartWidth - left - right);
    const y = (value) => chartHeight - bottom - (value - low) / (high - low) * (chartHeight - top - bottom);
    const summary = curves.map((curve) => `${curve.split}: ${significant(curve.values[0])} at step ${curve.steps[0]}, `
      + `${significant(curve.values.at(-1))} at step ${curve.steps.at(-1)}`).join('; ');
    const chart = svg('svg', {class: 'chart', viewBox: `0 0 ${chartWidth} ${chartHeight}`, role: 'img', 'aria-label': `${metric}. ${summary}`});
    for (const value of ticks(low, high)) {
      chart.append(svg('line', {class: 'grid', x1: left, x2: chartWidth - right, y1: y(value), y2: y(value)}),
        svg('text', {x: left - 6, y: y(value) + 4, 'text-anchor': 'end'}, String(value)));
    }
    for (const step of ticks(firstStep, lastStep, 5)) {
      chart.append(svg('text', {x: x(step), y: chartHeight - 8, 'text-anchor': 'middle'}, String(step)));
    }
    curves.forEach((curve, i) => {
      const color = `var(--curve-${i % 2 + 1})`;
      const points = curve.steps.map((step, k) => `${x(step).toFixed(1)},${y(curve.values[k]).toFixed(1)}`);
      chart.append(points.length > 1
        ? svg('polyline', {class: 'curve', stroke: color, points: points.join(' ')})
        : svg('circle', {cx: x(curve.steps[0]), cy: y(curve.values[0]), r: 4, fill: color}));
    });
    const cursor = svg('line', {class: 'cursor', y1: top, y2: chartHeight - bottom, visibility: 'hidden'});
    chart.append(cursor);
    const reading = element('p', {class: 'reading'});
    const legend = () => reading.replaceChildren(...curves.flatMap((curve, i) =>
      [element('span', {style: `color: var(--curve-${i % 2 + 1})`}, `${i ? '   ' : ''}● ${curve.split}`)]), '   over optimizer steps');
    legend();
    chart.addEventListener('pointermove', (event) => {
      const box = chart.getBoundingClientRect();
      const step = firstStep + ((event.clientX - box.left) / box.width * chartWidth - left) / (chartWidth - left - right) * (lastStep - firstStep);
      const parts = curves.map((curve) => {
        const k = curve.steps.reduce((best, other, i) => Math.abs(other - step) < Math.abs(curve.steps[best] - step) ? i : best, 0);
        return {step: curve.steps[k], text: `${curve.split} ${significant(curve.values[k])}`};
      });
      cursor.setAttribute('visibility', 'visible');
      cursor.setAttribute('x1', x(parts[0].step));
      cursor.setAttribute('x2', x(parts[0].step));
      reading.textContent = `step ${parts[0].step}: ${parts.map((part) => part.text).join('   ')}`;
    });
    chart.addEventListener('pointerleave', () => { cursor.setAttribute('visibility', 'hidden'); legend(); });
    return element('figure', {}, element('h3', {}, metric), chart, reading);
  }

  const metricTitles = {loss: 'Loss [nats]', top1: 'Top-1 accuracy [%]', learning_rate: 'Learning rate'};
  function charts(detail) {
    const byMetric = new Map();
    for (const [metric, split, steps, values] of detail.curves ?? []) {
      if (!byMetric.has(metric)) byMetric.set(metric, []);
      byMetric.get(metric).push({split, steps: data.steps[steps], values: values.split(',').map(Number)});
    }
    if (byMetric.size === 0) return [];
    return [element('h2', {}, 'Curves'), element('div', {class: 'charts'},
      ...[...byMetric].map(([metric, curves]) => lineChart(metricTitles[metric] ?? metric, curves)))];
  }

  // The scale of the figures, from 2 bits (light) to 8 (dark).
  const scale = [[255, 255, 217], [214, 239, 179], [145, 213, 185], [72, 181, 196], [32, 135, 187], [36, 83, 162], [8, 29, 88]];
  function bitsCell(code) {
    const bits = parseInt(code, 36);
    const color = scale[Math.max(0, Math.min(6, bits - 2))];
    const light = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 140;
    return element('td', {style: `background: rgb(${color}); color: ${light ? '#000' : '#fff'}`}, String(bits));
  }
  function bitsTable(kind, inventory, detail) {
    const columns = [...detail.history.map(([step, bits]) => [`step ${step}`, String(step), bits])];
    if (detail.bits && (columns.length === 0 || columns.at(-1)[2] !== detail.bits)) columns.push(['at the end', 'end', detail.bits]);
    const rows = inventory.map(([quantizer, of, counted], position) => of !== kind ? null :
      element('tr', {}, element('th', {scope: 'row', class: counted ? null : 'pinned'},
        quantizer.replace(/\.(weight|input)$/, '') + (counted ? '' : ' (not counted)')),
      ...columns.map((column) => bitsCell(column[2][position])))).filter((row) => row !== null);
    return element('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Bits of the ${kind}s`},
      element('table', {class: 'bits'}, element('caption', {}, `Bits of the ${kind}s from each step on`),
        element('thead', {}, element('tr', {}, element('th', {scope: 'col'}, 'Layer'),
          ...columns.map((column) => element('th', {scope: 'col', 'aria-label': column[0]}, column[1])))),
        element('tbody', {}, ...rows)));
  }
  function bitsTables(detail) {
    if (detail.inventory === undefined || (!detail.bits && detail.history.length === 0)) return [];
    const inventory = data.inventories[detail.inventory];
    const kinds = ['weight', 'activation'].filter((kind) => inventory.some((quantizer) => quantizer[1] === kind));
    return [element('h2', {}, 'Bits'), element('div', {class: 'bits-tables'},
      ...kinds.map((kind) => bitsTable(kind, inventory, detail)))];
  }

  function facts(run) {
    const list = [
      ['State', stateMark(run)],
      ['Top-1', run.top1 === null ? null : `${digits(run.top1, 2)} %`, run.validation_top1 === null ? '' : `validation ${digits(run.validation_top1, 2)} %`],
      ['Loss', run.loss === null ? null : digits(run.loss, 4)],
      ['Weights', run.weight_bits === null ? null : `${digits(run.weight_bits, 3)} bits`, run.weight_limit_bits === null ? '' : `at most ${run.weight_limit_bits}`],
      ['Activations', run.activation_bits === null ? null : `${digits(run.activation_bits, 3)} bits`, run.activation_limit_bits === null ? '' : `at most ${run.activation_limit_bits}`],
      ['Size of the weights', run.weight_bytes === null ? null : bytes(run.weight_bytes), run.weight_limit_bytes === null ? '' : `counted ${bytes(run.counted_weight_bytes)}, at most ${bytes(run.weight_limit_bytes)}`],
      ['Bit operations', run.bops === null ? null : run.bops.toExponential(3), run.limit_bops === null ? '' : `at most ${run.limit_bops}`],
      ['Time', run.seconds === null ? null : duration(run.seconds), run.reallocation_seconds ? `reallocation ${duration(run.reallocation_seconds)}` : ''],
      ['Memory', run.peak_memory_bytes === null ? null : bytes(run.peak_memory_bytes)],
      ['Started', run.started_at === null ? null : clock(run.started_at), [run.host, run.attempts > 1 ? `${run.attempts} attempts` : ''].filter(Boolean).join(', ')],
    ];
    return element('dl', {class: 'facts'}, ...list.filter((fact) => fact[1] !== null).map(([title, value, more]) =>
      element('div', {}, element('dt', {}, title), element('dd', {}, value, more ? element('small', {}, more) : null))));
  }

  const shown = (value) => typeof value === 'string' ? value : JSON.stringify(value);
  function configuration(run) {
    const parameters = Object.entries({...data.common, ...run.parameters}).sort(([a], [b]) => a < b ? -1 : 1);
    return [element('h2', {}, 'Configuration'), element('div', {class: 'scroll'}, element('table', {class: 'plain-list'},
      element('tbody', {}, ...parameters.map(([key, value]) =>
        element('tr', {}, element('th', {scope: 'row'}, element('code', {}, key)), element('td', {}, shown(value)))))))];
  }

  function sections(...parts) {
    return parts.filter((part) => part.length > 0).map((part) => element('section', {}, ...part));
  }
  function runPage(run) {
    const detail = {history: [], ...data.details[run.job]};
    const place = runs.indexOf(run);
    const link = (other, text) => other === undefined ? null : element('a', {href: `#run-${other.job}`}, text);
    const log = detail.log ? [element('h2', {}, 'Log'), codeBlock(detail.log)] : [];
    const sql = [element('h2', {}, 'SQL'), codeBlock(
      `SELECT * FROM runs WHERE key = '${run.key}';\nSELECT * FROM curves WHERE key = '${run.key}';\n`
      + `SELECT * FROM bits_history WHERE key = '${run.key}';`)];
    return [
      element('p', {class: 'run-bar'}, element('a', {href: '#runs'}, '← All runs'),
        element('span', {class: 'away'}), link(runs[place - 1], '← Previous'), link(runs[place + 1], 'Next →')),
      element('header', {}, element('p', {class: 'eyebrow'}, 'Job ', element('span', {class: 'key'}, run.key)),
        element('h1', {}, name(run)), run.setting ? element('p', {class: 'question'}, run.setting) : null, facts(run),
        run.error_text ? element('p', {class: 'message'}, `${run.error_class}: ${run.error_text}`) : null),
      ...sections(charts(detail), bitsTables(detail), configuration(run), log, sql),
    ];
  }

  const title = document.title;
  let place = 0;  // where the overview was scrolled to
  function route() {
    const run = location.hash.startsWith('#run-') ? runByJob.get(location.hash.slice(5)) : undefined;
    const [overview, page] = [byId('overview'), byId('run')];
    if (run === undefined) {
      const was_away = overview.hidden;
      overview.hidden = false;
      page.hidden = true;
      document.title = title;
      if (was_away && (location.hash === '#runs' || location.hash === '')) window.scrollTo(0, place);
      else if (was_away) byId(location.hash.slice(1))?.scrollIntoView();
      return;
    }
    if (!overview.hidden) place = window.scrollY;
    page.replaceChildren(...runPage(run));
    overview.hidden = true;
    page.hidden = false;
    document.title = `${name(run)} · ${title}`;
    window.scrollTo(0, 0);
    page.focus({preventScroll: true});
  }

  // ---- Figures: what a mark shows, and which runs are lit in all of them

  const jobsByConfiguration = new Map();
  for (const run of runs) {
    const digits = run.config_key.slice(0, 10);
    jobsByConfiguration.set(digits, [...jobsByConfiguration.get(digits) ?? [], run.job]);
  }
  // "qbitopt: 90.79 % at 3.00 bits, 3 runs of configuration 0123456789", or "... run 0123456789".
  function jobsOf(mark) {
    const named = mark.getAttribute('aria-label').match(/(run|configuration) ([0-9a-f]{10})$/);
    return named === null ? [] : named[1] === 'run' ? [named[2]] : jobsByConfiguration.get(named[2]) ?? [];
  }
  function makeTouchable(section) {
    const marks = [...section.querySelectorAll('.role-mark [aria-label]')];
    if (marks.length === 0) return;
    const rows = [...document.querySelectorAll('.qbitopt-table tbody tr[data-runs]:not([data-runs=""])')];
    const tip = element('div', {class: 'tip', role: 'status', hidden: ''});
    const clear = element('button', {type: 'button', class: 'plain', hidden: ''}, 'Show all runs alike');
    const help = element('p', {class: 'note'}, 'Each mark says what it shows: under the pointer, at a tap, or with the arrow keys in a figure. '
      + 'A click on it, or on a row of the comparison, lights up its runs in all figures. ', clear);
    section.querySelector('h2').after(help);
    document.body.append(tip);
    let lit = new Set();
    function light(jobs) {
      lit = new Set(jobs);
      const shines = (others) => others.some((job) => lit.has(job));
      section.classList.toggle('lit', lit.size > 0);
      for (const mark of marks) mark.classList.toggle('on', shines(jobsOf(mark)));
      for (const row of rows) {
        const is_on = shines(row.dataset.runs.split(' '));
        row.classList.toggle('on', is_on);
        row.querySelector('th button').setAttribute('aria-pressed', is_on);
      }
      clear.hidden = lit.size === 0;
      remembered.set('lit', [...lit]);
    }
    // The second click on the same runs ends it.
    const toggle = (jobs) => light(jobs.length === lit.size && jobs.every((job) => lit.has(job)) ? [] : jobs);
    function show(mark, x, y) {
      tip.textContent = mark.getAttribute('aria-label');
      tip.hidden = false;
      tip.style.left = `${Math.max(8, Math.min(x + 12, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
      tip.style.top = `${y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 12 : y + 18}px`;
    }
    const markAt = (event) => event.target instanceof Element ? event.target.closest('.role-mark [aria-label]') : null;
    document.addEventListener('pointerover', (event) => {
      const mark = markAt(event);
      if (mark === null) tip.hidden = true; else show(mark, event.clientX, event.clientY);
    });
    section.addEventListener('click', (event) => {
      const mark = markAt(event);
      if (mark !== null && jobsOf(mark).length > 0) toggle(jobsOf(mark));
    });
    clear.addEventListener('click', () => light([]));
    for (const drawing of section.querySelectorAll('.drawing')) {
      const own = marks.filter((mark) => drawing.contains(mark));
      let here = null;
      drawing.addEventListener('keydown', (event) => {
        const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
        if (step !== undefined && own.length > 0) {
          here?.classList.remove('here');
          here = own.at((own.indexOf(here) + step + (here === null && step < 0 ? 1 : 0)) % own.length);
          here.classList.add('here');
          here.scrollIntoView({block: 'nearest', inline: 'nearest'});
          const box = here.getBoundingClientRect();
          show(here, box.right, box.bottom);
        } else if (event.key === 'Enter' && here !== null) {
          toggle(jobsOf(here));
        } else if (event.key === 'Escape') {
          light([]);
        } else {
          return;
        }
        event.preventDefault();
      });
      drawing.addEventListener('blur', () => { here?.classList.remove('here'); here = null; tip.hidden = true; });
      const larger = drawing.parentElement.querySelector('.larger');
      larger?.addEventListener('click', () => {
        larger.setAttribute('aria-pressed', drawing.classList.toggle('large'));
      });
    }
    for (const row of rows) {
      const head = row.querySelector('th');
      const button = element('button', {type: 'button', 'aria-pressed': 'false', title: 'Light up these runs in the figures'});
      button.append(...head.childNodes);
      head.append(button);
      row.addEventListener('click', () => { if (String(getSelection()) === '') toggle(row.dataset.runs.split(' ')); });
    }
    light(remembered.get('lit') ?? []);
  }

  // Comparisons are the same HTML that `qbitopt table` writes; here they scroll by themselves.
  for (const [i, table] of document.querySelectorAll('.qbitopt-table table').entries()) {
    table.id = `comparison-table-${i + 1}`;
    const frame = element('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': table.caption.textContent});
    table.replaceWith(frame);
    frame.append(table);
  }
  fillRuns(byId('all-runs'));
  document.querySelectorAll('table.sortable, .qbitopt-table table').forEach(makeSortable);
  document.querySelectorAll('.tools').forEach(makeFilterable);
  makeTouchable(byId('figures'));
  window.addEventListener('hashchange', route);
  route();

  // While the sweep runs the file is written again and again; a reader who types or reads a mark is left alone.
  if (data.refresh_seconds > 0) {
    setInterval(() => {
      const is_busy = document.activeElement instanceof HTMLInputElement || String(getSelection()) !== ''
        || document.querySelector('.tip:not([hidden])') !== null;
      if (!is_busy) location.reload();
    }, 1000 * data.refresh_seconds);
  }
})();
