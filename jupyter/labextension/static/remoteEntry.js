/*
 * Entry of the extension for JupyterLab's module federation, written by hand: a
 * container with init and get is all that the federation asks for, so that there
 * is nothing to build. It registers a renderer for interactive charts; the work
 * is in charts.js and the drawing in echarts/, both loaded when first needed. It
 * also keeps wide figures inside their column.
 */
(() => {
  'use strict';
  const folder = new URL('.', document.currentScript.src).href;
  let shared; // the modules that JupyterLab shares: name -> version -> {get}

  async function sharedModule(name) {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  }

  const container = {
    init(scope) {
      shared = scope;
    },
    async get(module) {
      if (module !== './charts') {
        throw new Error(`ebmkit-lab has no module ${module}`);
      }
      // A figure as wide as a page shrinks to the column instead of being cut off.
      const sheet = document.createElement('style');
      sheet.textContent =
        '.jp-RenderedSVG img, .jp-RenderedSVG svg, .jp-RenderedImage img { max-width: 100%; height: auto; }';
      document.head.append(sheet);
      const { Widget } = await sharedModule('@lumino/widgets');
      const { rendererFactory } = await import(folder + 'charts.js');
      const extension = {
        id: 'ebmkit-lab:charts',
        description: 'Renders charts of package plotting/nbi.',
        rendererFactory: rendererFactory(Widget, folder),
        rank: 0,
        dataType: 'json'
      };
      return () => ({ __esModule: true, default: extension });
    }
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['ebmkit-lab'] = container;
})();
