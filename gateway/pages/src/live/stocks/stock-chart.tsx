import { useEffect, useRef } from 'react';
import UPlot, { type Options } from 'uplot';
import { useLive } from '../live-context.tsx';
import type { ChartWindow } from './chart-window.ts';
import { untilNow } from './stock-history.ts';
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
        // Below a line that does not move it would look like a bar that is half full.
        fill: (chart) => (isFlat(chart) ? 'transparent' : color('--chart-fill')()),
        width: 1.5,
        points: { show: false },
      },
    ],
  };
}

function isFlat({ scales: { y } }: UPlot): boolean {
  // The room around a line that does not move, and nothing else.
  return (y?.max ?? 0) - (y?.min ?? 0) <= 2;
}

/** Room above and below the line; a stock that does not move runs through the middle. */
function padded(min: number, max: number): [number, number] {
  const room = Math.max(1, (max - min) * 0.12);
  return [min - room, max + room];
}

/** A stock's quantity over the last minutes. The row says the number: nothing here is for readers. */
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
    const unfollow = stocks.subscribe(id, painted.mark);
    const unwant = backfill.want(id, painted.mark);
    return () => {
      unwant();
      unfollow();
      painted.remove();
      chart?.destroy();
    };
  }, [id, stocks, painter, backfill, chartWindow]);
  return <div className="chart" ref={element} aria-hidden="true" />;
}
