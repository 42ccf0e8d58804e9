import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
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
