import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // The app and the graph have the same origin during development.
  server: { proxy: { '/graphql': { target: 'http://localhost:4000', ws: true } } },
});
