// An identity provider for tests: the npm package oidc-provider, on a port of this machine.
//
// node --input-type=module --eval "$(cat provider.mjs)" -- <folder of node_modules> <port, 0 = any> <settings as JSON>
//
// It prints `at <issuer>`, then obeys the words on its standard input, and prints each when it is done: `rotate` (new keys, the
// old ones are gone), `away` (nobody listens any more), `back`. It ends when its standard input does.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const [folder, port, settingsText] = process.argv.slice(1);
const settings = JSON.parse(settingsText);
const require = createRequire(pathToFileURL(path.join(folder, 'package.json')));

// What is logged for people who develop providers is nothing to tests.
console.info = () => {};
console.warn = () => {};
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

let handler = (_, answer) => answer.writeHead(503).end();
const open = (at) => new Promise((resolve) => {
  const server = createServer((request, answer) => handler(request, answer));
  server.listen(at, '127.0.0.1', () => resolve(server));
});
let server = await open(Number(port));
const at = server.address().port;
const issuer = `http://127.0.0.1:${at}`;

const newKey = () => {
  const kind = settings.algorithm === 'ES256' ? ['ec', { namedCurve: 'P-256' }] : ['rsa', { modulusLength: 2048 }];
  const { privateKey } = generateKeyPairSync(...kind);
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: settings.algorithm ?? 'RS256' };
};

const begin = () => {
  const provider = new Provider(issuer, {
    clients: settings.clients.map((client) => ({
      id_token_signed_response_alg: settings.algorithm ?? 'RS256',
      ...client,
    })),
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username', 'groups'],
    },
    // With true, claims of scopes are told at the userinfo endpoint alone.
    conformIdTokenClaims: settings.claimsAtUserinfo ?? false,
    cookies: { keys: [randomUUID()] },
    features: { devInteractions: { enabled: true } },
    // Somebody signs in as one of the people of the settings, with any password.
    findAccount: (_, id) => {
      const person = settings.people[id];
      return person && { accountId: id, claims: () => ({ sub: id, ...person }) };
    },
    jwks: { keys: [newKey()] },
    ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 600, AccessToken: 600, AuthorizationCode: 60 },
  });
  handler = provider.callback();
};

const orders = {
  rotate: () => begin(),
  away: () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  }),
  back: async () => {
    server = await open(at);
  },
};

begin();
console.log(`at ${issuer}`);
for await (const word of createInterface({ input: process.stdin })) {
  await orders[word]();
  console.log(word);
}
process.exit(0);
