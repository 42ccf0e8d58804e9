import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { showNeeding } from '../design/show-needing.ts';
import { readStatus } from '../design/status.ts';
import { LiveProvider, startLive } from './live-context.tsx';
import { LivePage } from './live-page.tsx';

const root = document.getElementById('live');
if (!root) throw new Error('the page has no #live');
createRoot(root).render(
  <StrictMode>
    <LiveProvider live={startLive()}>
      <LivePage />
    </LiveProvider>
  </StrictMode>,
);

readStatus().then(
  ({ explorers }) => showNeeding('explorers', explorers),
  () => {
    // Not known: the links stay.
  },
);
