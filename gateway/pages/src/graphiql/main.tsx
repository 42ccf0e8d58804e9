import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './graphiql.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createRoot } from 'react-dom/client';
import { loadExamples } from '../examples/examples.ts';
import { Explorer, repairTabRoles } from './explorer.tsx';
import { connectToGraph, subscribeWithToken } from './subscribe-with-token.ts';
import { TabSubscriptions } from './tab-subscriptions.ts';

const subscriptions = new TabSubscriptions(
  createGraphiQLFetcher({ url: '/graphql' }),
  subscribeWithToken(connectToGraph),
);

const root = document.getElementById('graphiql');
if (!root) throw new Error('The page has no #graphiql');
const examples = await loadExamples();
repairTabRoles(root);
createRoot(root).render(<Explorer subscriptions={subscriptions} examples={examples} />);
