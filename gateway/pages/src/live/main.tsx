import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { fetchStatus, showElementsNeeding } from '../design/status.ts';
import { LiveProvider, startLive } from './live-context.tsx';
import { LivePage } from './live-page.tsx';

const root = document.getElementById('live');
if (!root) throw new Error('The page has no #live');
createRoot(root).render(
  <StrictMode>
    <LiveProvider live={startLive()}>
      <LivePage />
    </LiveProvider>
  </StrictMode>,
);

fetchStatus().then(
  ({ explorers }) => showElementsNeeding('explorers', explorers),
  () => {
    // If the gateway does not answer, the links stay visible.
  },
);
