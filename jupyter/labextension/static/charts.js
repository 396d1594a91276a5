/*
 * The renderer of application/vnd.ebmkit.echarts.v1+json, a string of JSON:
 *
 *   {"width": 488, "height": 330, "option": {...}}
 *
 * with the size in CSS pixels and an option of ECharts. The option is data. It
 * may come from a notebook that nobody trusts, so that whatever could run a
 * script, load a resource or put HTML into the page is taken out before ECharts
 * sees it.
 */
export const MIME_TYPE = 'application/vnd.ebmkit.echarts.v1+json';

// Keys that open links, load images, edit data in HTML or name elements of the
// page, and those that would reach the prototypes of objects.
const FORBIDDEN = new Set([
  'link', 'sublink', 'target', 'subtarget', 'image', 'graphic', 'dataView', 'renderMode',
  'extraCssText', 'className', 'appendTo', 'appendToBody', 'renderItem', 'geo', 'map',
  '__proto__', 'constructor', 'prototype'
]);

/*
 * Drawing routines for what ECharts has no series for. An option names one, with
 * numbers after the name, in place of a function: "cells 0.1 0.2". Each gets the
 * numbers and the rows of the series and returns a renderItem.
 */
const ROUTINES = {
  /* Rows (x, y, z): rectangles of a size in units of the axes. */
  cells: ([dx, dy]) => (params, api) => {
    const x = api.value(0), y = api.value(1);
    const [x0, y0] = api.coord([x - dx / 2, y - dy / 2]);
    const [x1, y1] = api.coord([x + dx / 2, y + dy / 2]);
    // Whole pixels, so that neighbours neither overlap nor leave a gap.
    const [left, right] = [x0, x1].map(Math.round).sort((a, b) => a - b);
    const [top, bottom] = [y0, y1].map(Math.round).sort((a, b) => a - b);
    const shape = { x: left, y: top, width: right - left, height: bottom - top };
    return { type: 'rect', shape, style: { fill: api.visual('color') } };
  },

  /* Rows (x, lo, hi): the area between two curves, all of it with the first row. */
  band: (_, rows) => (params, api) => {
    if (params.dataIndex !== 0) {
      return null;
    }
    const points = rows.map(r => api.coord([r[0], r[2]]));
    points.push(...rows.map(r => api.coord([r[0], r[1]])).reverse());
    return { type: 'polygon', shape: { points }, style: { fill: api.visual('color'), opacity: 0.22 }, silent: true };
  },

  /* Rows (x, y, lo, hi): a disc with an error bar. */
  errorbar: () => (params, api) => {
    const color = api.visual('color');
    const bar = whisker(api, color);
    const [cx, cy] = api.coord([api.value(0), api.value(1)]);
    return { type: 'group', children: [bar, { type: 'circle', shape: { cx, cy, r: 3.2 }, style: { fill: color } }] };
  },

  /* Rows (x, y, lo, hi): the error bar alone. */
  whisker: () => (params, api) => whisker(api, api.visual('color')),

  /*
   * Rows (x, y, u, v) on a lattice: arrows with the directions of the vectors on
   * the screen and lengths as the square root of theirs, the long ones as long as
   * the lattice is wide. So the static figures draw them.
   */
  arrow: ([dx, dy], rows) => {
    let unit = 0; // the length that fills a cell: only one in twenty is longer
    return (params, api) => {
      const at = (x, y) => api.coord([x, y]);
      const vector = (x, y, u, v) => {
        const [x0, y0] = at(x, y), [x1, y1] = at(x + u, y + v);
        return [x1 - x0, y1 - y0];
      };
      if (params.dataIndexInside === 0) {
        const lengths = rows.map(r => Math.hypot(...vector(...r))).sort((a, b) => a - b);
        unit = lengths[Math.floor(0.95 * (lengths.length - 1))] || lengths[lengths.length - 1];
      }
      const x = api.value(0), y = api.value(1), color = api.visual('color');
      const [px, py] = vector(x, y, api.value(2), api.value(3));
      const length = Math.hypot(px, py);
      if (!(length > 0)) {
        return null;
      }
      const cell = Math.min(Math.abs(vector(x, y, dx, 0)[0]), Math.abs(vector(x, y, 0, dy)[1]));
      const l = 0.92 * cell * Math.sqrt(Math.min(1, length / unit));
      const [cx, cy] = at(x, y), ux = px / length, uy = py / length;
      const [x1, y1, x2, y2] = [cx - (ux * l) / 2, cy - (uy * l) / 2, cx + (ux * l) / 2, cy + (uy * l) / 2];
      const head = Math.min(6, 0.42 * l), side = 0.36 * head;
      const points = [[x2, y2], [x2 - ux * head - uy * side, y2 - uy * head + ux * side], [x2 - ux * head + uy * side, y2 - uy * head - ux * side]];
      return {
        type: 'group',
        children: [
          { type: 'line', shape: { x1, y1, x2: x2 - ux * head * 0.8, y2: y2 - uy * head * 0.8 }, style: { stroke: color, lineWidth: 1.1 } },
          { type: 'polygon', shape: { points }, style: { fill: color } }
        ]
      };
    };
  }
};

function whisker(api, color) {
  const x = api.value(0), cap = 3;
  const [px, lo] = api.coord([x, api.value(2)]);
  const [, hi] = api.coord([x, api.value(3)]);
  const style = { stroke: color, lineWidth: 1.2 };
  const line = (x1, y1, x2, y2) => ({ type: 'line', shape: { x1, y1, x2, y2 }, style });
  return { type: 'group', children: [line(px, lo, px, hi), line(px - cap, lo, px + cap, lo), line(px - cap, hi, px + cap, hi)] };
}

function routine(name, rows) {
  const [key, ...numbers] = String(name).split(' ');
  return Object.hasOwn(ROUTINES, key) ? ROUTINES[key](numbers.map(Number), rows) : () => null;
}

/* A copy of an option that draws and does nothing else. */
export function harmless(value, dark) {
  if (Array.isArray(value)) {
    return value.map(v => harmless(v, dark));
  }
  if (value !== null && typeof value === 'object') {
    const copy = {};
    if (value.type === 'custom') {
      copy.renderItem = routine(value.renderItem, value.data);
      copy.clip = true;
    }
    for (const key of Object.keys(value)) {
      if (!FORBIDDEN.has(key)) {
        copy[key] = harmless(value[key], dark);
      }
      if (key === 'tooltip') {
        for (const tip of [copy.tooltip].flat()) {
          if (tip !== null && typeof tip === 'object') {
            tip.renderMode = 'richText';
          }
        }
      }
    }
    return copy;
  }
  if (typeof value === 'string') {
    if (/^\s*(image:|url\(|https?:|data:|javascript:)/i.test(value)) {
      return '';
    }
    if (dark && (value === '#000000' || value === '#1a1a1a')) {
      return '#e6e6e6'; // ink, and the palette's black
    }
  }
  return value;
}

/* A number with at most so many digits and a true minus. */
function number(value, digits) {
  return typeof value === 'number' ? String(Number(value.toPrecision(digits))).replace(/-/g, '−') : String(value);
}

/* Numbers at an axis: decades as powers of ten. */
function tick(value, log) {
  const digits = n => String(n).replace(/./g, c => '⁰¹²³⁴⁵⁶⁷⁸⁹'[c] || '⁻');
  const exponent = Math.log10(value);
  if (log && Number.isInteger(Math.round(exponent * 1e9) / 1e9) && Math.abs(exponent) > 2) {
    return '10' + digits(Math.round(exponent));
  }
  return number(value, 10);
}

/* The colours of text and axes. Series bring their own. */
function theme(dark) {
  const text = dark ? '#d6d6d6' : '#222222';
  const axis = {
    axisLine: { lineStyle: { color: text } },
    axisTick: { lineStyle: { color: text } },
    axisLabel: { color: text, fontSize: 13 },
    nameTextStyle: { color: text, fontSize: 14 }
  };
  const blue = dark ? '#56b4e9' : '#0072b2';
  const box = dark ? '#2b2b2b' : '#ffffff';
  return {
    textStyle: { color: text },
    title: { textStyle: { color: text, fontSize: 15 } },
    legend: { textStyle: { color: text, fontSize: 13 }, pageTextStyle: { color: text } },
    tooltip: { backgroundColor: box, borderColor: '#999999', borderWidth: 1, textStyle: { color: text, fontSize: 13 }, axisPointer: { lineStyle: { color: '#999999' } } },
    toolbox: { iconStyle: { borderColor: text } },
    visualMap: { textStyle: { color: text, fontSize: 13 } },
    valueAxis: axis,
    logAxis: axis,
    categoryAxis: axis,
    timeline: {
      label: { color: text }, emphasis: { label: { color: text }, itemStyle: { color: blue } }, lineStyle: { color: '#999999' }, itemStyle: { color: '#999999' },
      checkpointStyle: { color: blue, borderColor: box }, progress: { lineStyle: { color: blue }, itemStyle: { color: blue }, label: { color: text } },
      controlStyle: { color: text, borderColor: text }
    }
  };
}

/* The option with tooltips that are never HTML, also where it names none. */
export function prepare(option, dark) {
  const onHeat = Boolean(option.visualMap || (option.baseOption && option.baseOption.visualMap));
  const copy = harmless(option, dark && !onHeat); // there the paper is not dark
  const top = copy.baseOption && typeof copy.baseOption === 'object' ? copy.baseOption : copy;
  top.tooltip = Object.assign({}, [top.tooltip].flat()[0], { renderMode: 'richText' });
  top.backgroundColor = 'transparent';
  for (const axis of [top.xAxis, top.yAxis].flat()) {
    if (axis && (axis.type === 'value' || axis.type === 'log')) {
      axis.axisLabel = Object.assign({}, axis.axisLabel, { formatter: v => tick(v, axis.type === 'log') });
      axis.axisPointer = { label: { formatter: p => (axis.name ? axis.name + ' = ' : '') + number(p.value, 4) } };
    }
  }
  // What a point of the plane says: its coordinates and, in a heat map, the value.
  const zAxis = [top.visualMap].flat()[0];
  const names = [[top.xAxis].flat()[0], [top.yAxis].flat()[0]].map((a, i) => (a && a.name) || 'xy'[i]);
  names.push((zAxis && [zAxis.text].flat()[0]) || 'z');
  if (top.tooltip.trigger === 'item') {
    const ofArrows = [names[0], names[1], 'u', 'v'];
    top.tooltip.formatter = p => {
      if (p.componentType !== 'series') {
        return String(p.name); // a point of the timeline
      }
      const values = [p.value].flat(), called = values.length > 3 ? ofArrows : names;
      return values.slice(0, 4).map((v, i) => `${called[i]} = ${number(v, 4)}`).join('\n');
    };
  } else {
    top.tooltip.valueFormatter = v => number(v, 4);
  }
  return copy;
}

function size(value, fallback) {
  return Number.isFinite(value) ? Math.min(Math.max(value, 50), 4000) : fallback;
}

const isDark = () => document.body.dataset.jpThemeLight === 'false';

export function rendererFactory(Widget, folder) {
  let echarts;
  const load = () => (echarts = echarts || import(folder + 'echarts/echarts.esm.min.js'));

  class Chart extends Widget {
    constructor() {
      super();
      this.addClass('ebmkit-chart');
      this.frame = document.createElement('div');
      this.node.appendChild(this.frame);
      this.sizes = new ResizeObserver(() => this.fit());
      this.sizes.observe(this.node);
      this.themes = new MutationObserver(() => this.fit());
      this.themes.observe(document.body, { attributeFilter: ['data-jp-theme-light'] });
    }

    async renderModel(model) {
      const source = model.data[MIME_TYPE];
      try {
        const spec = typeof source === 'string' ? JSON.parse(source) : source;
        if (!spec || !spec.option || typeof spec.option !== 'object') {
          throw new Error('no option is given');
        }
        this.option = spec.option;
        this.frame.style.maxWidth = size(spec.width, 640) + 'px';
        this.frame.style.height = size(spec.height, 400) + 'px';
        this.echarts = await load();
        this.draw();
      } catch (error) {
        this.node.textContent = `This chart cannot be drawn: ${error.message}`;
      }
    }

    draw() {
      // A chart is made where its size is known, and anew for another theme.
      if (this.isDisposed || !this.echarts || this.frame.clientWidth === 0) {
        return;
      }
      const dark = isDark();
      if (this.chart && this.dark !== dark) {
        this.chart.dispose();
        this.chart = null;
      }
      if (!this.chart) {
        this.dark = dark;
        this.chart = this.echarts.init(this.frame, theme(dark), { renderer: 'canvas' });
      }
      this.chart.setOption(prepare(this.option, dark), true);
    }

    /* After another size or another theme. While JupyterLab changes its theme,
       nothing has a size: the chart is made anew when it has one again. */
    fit() {
      if (!this.chart || this.dark !== isDark()) {
        this.draw();
      } else if (this.frame.clientWidth > 0) {
        this.chart.resize();
      }
    }

    dispose() {
      if (this.isDisposed) {
        return;
      }
      this.sizes.disconnect();
      this.themes.disconnect();
      if (this.chart) {
        this.chart.dispose();
      }
      super.dispose();
    }
  }

  return {
    safe: true,
    mimeTypes: [MIME_TYPE],
    defaultRank: 0,
    createRenderer: () => new Chart()
  };
}
