import { useEffect, useRef } from 'react';
import UPlot, { type Options } from 'uplot';
import { useLive } from '../live-context.tsx';
import { type ChartWindow, untilNow } from './stock-history.ts';
import 'uplot/dist/uPlot.min.css';

const { stepped } = UPlot.paths;

function optionsOf(element: HTMLElement, window: ChartWindow): Options {
  const color = (name: string) => () => getComputedStyle(element).getPropertyValue(name);
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [3, 0, 3, 0],
    legend: { show: false },
    cursor: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: false, range: (_chart, min, max) => [max - window.seconds(min, max), max] },
      y: { range: (_chart, min, max) => padded(min, max) },
    },
    series: [
      {},
      {
        ...(stepped ? { paths: stepped({ align: 1 }) } : {}),
        stroke: color('--chart-line'),
        // A constant line has no fill, because with a fill it would look like a half-full bar.
        fill: (chart) => (isFlat(chart) ? 'transparent' : color('--chart-fill')()),
        width: 1.5,
        points: { show: false },
      },
    ],
  };
}

function isFlat({ scales: { y } }: UPlot): boolean {
  // For a constant line, `padded` returns a range of 2.
  return (y?.max ?? 0) - (y?.min ?? 0) <= 2;
}

/** Adds space above and below the line, so that a constant quantity is in the middle. */
function padded(min: number, max: number): [number, number] {
  const padding = Math.max(1, (max - min) * 0.12);
  return [min - padding, max + padding];
}

/**
 * Chart of a stock's quantity over the last minutes. It is hidden from screen readers, because the
 * row contains the quantity as text.
 */
export function StockChart({ id }: { id: string }) {
  const element = useRef<HTMLDivElement>(null);
  const { stocks, painter, backfill, chartWindow } = useLive();
  useEffect(() => {
    let chart: UPlot | undefined;
    const painted = painter.add(() => {
      const history = stocks.get(id)?.history;
      if (!history || !element.current) return;
      const data = untilNow(history, Date.now() / 1000);
      if (chart) chart.setData(data);
      else chart = new UPlot(optionsOf(element.current, chartWindow), data, element.current);
    });
    const unsubscribe = stocks.subscribe(id, painted.markChanged);
    const cancelBackfill = backfill.request(id, painted.markChanged);
    return () => {
      cancelBackfill();
      unsubscribe();
      painted.remove();
      chart?.destroy();
    };
  }, [id, stocks, painter, backfill, chartWindow]);
  return <div className="chart" ref={element} aria-hidden="true" />;
}
