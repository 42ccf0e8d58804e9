// The app and the graph have the same origin during development.
export default { server: { proxy: { '/graphql': { target: 'http://localhost:4000', ws: true } } } };
