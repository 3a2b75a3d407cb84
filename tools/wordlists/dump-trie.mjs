// Prints the words of a cspell trie, one a line. Usage: node dump-trie.mjs en_US.trie.gz > en_US.txt
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decodeTrie } from 'cspell-trie-lib';

const trie = decodeTrie(gunzipSync(readFileSync(process.argv[2])));
for (const word of trie.words()) process.stdout.write(`${word}\n`);
