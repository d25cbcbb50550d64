/** The look of the page. */
export const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; color: #1c2330; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #e3e7ee; vertical-align: top; }
td { font-variant-numeric: tabular-nums; } td:last-child { min-width: 12rem; } tr td:first-child { color: #55617a; white-space: nowrap; }
.outcome { font-weight: 600; padding: .4rem .8rem; border-radius: 4px; background: #fff3d6; }
.outcome.passed { background: #dff3e4; } .outcome.crossed, .outcome.broken { background: #fbe1de; }
.warning { padding: .4rem .8rem; border-radius: 4px; background: #fbe1de; }
#charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 1rem; }
#charts > div { min-width: 0; }
.u-title { font-size: 1rem; }
`;

/** uPlot formats numbers in the browser's language, which in a browser of the C locale is none that there is. */
export const prepare = `
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}
`;

/** Draws the plots; runs in the browser. */
export const page = `
const colors = ['#2563c9', '#d1572b', '#2f8f5b', '#8a4fbf'];
const place = document.getElementById('charts');
for (const chart of JSON.parse(document.getElementById('data').textContent)) {
  const box = place.appendChild(document.createElement('div'));
  const markLine = (plot) => {
    if (!chart.mark) return;
    const { ctx, bbox } = plot;
    const x = plot.valToPos(chart.mark.x, 'x', true);
    ctx.save();
    ctx.strokeStyle = '#333';
    ctx.fillStyle = '#333';
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.textAlign = 'right';
    ctx.fillText(chart.mark.label + ' ' + +chart.mark.x.toPrecision(3), x - 6, bbox.top + 14);
    ctx.restore();
  };
  new uPlot(
    {
      title: chart.title,
      width: box.clientWidth || 480,
      height: 260,
      scales: { x: { time: false, distr: chart.logX ? 3 : 1 }, y: { distr: chart.logY ? 3 : 1 } },
      axes: [{ label: chart.x }, { label: chart.y, size: 64 }],
      series: [
        { label: chart.x.split(';')[0] },
        ...chart.series.map((label, index) => ({
          label,
          stroke: colors[index % colors.length],
          width: 1.5,
          spanGaps: true,
          ...(chart.points && { paths: () => null, points: { show: true, size: 8 } }),
        })),
      ],
      hooks: { draw: [markLine] },
    },
    // A logarithmic axis has no 0.
    chart.columns.map((column, index) => (index > 0 && chart.logY ? column.map((value) => value || null) : column)),
    box,
  );
}
`;
