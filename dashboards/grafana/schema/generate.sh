#!/usr/bin/env bash
# Makes grafana-VERSION.schema.json.gz anew from Grafana's own types; needs node, npm and a package registry. See README.md.
set -euo pipefail
version="${1:-13.2.3}"
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp "$here/dashboard.ts" "$work/"
cd "$work"
cat > package.json <<END
{"private": true, "dependencies": {"@grafana/schema": "$version", "ts-json-schema-generator": "2.4.0", "typescript": "5.9.3"}}
END
cat > tsconfig.json <<'END'
{
  "compilerOptions": {"moduleResolution": "bundler", "module": "esnext", "target": "es2022", "skipLibCheck": true, "strict": true, "noEmit": true},
  "files": ["dashboard.ts"]
}
END
npm install --no-audit --no-fund --ignore-scripts
# Without `--expose none` some of Grafana's types have two definitions of one name.
npx ts-json-schema-generator --path dashboard.ts --tsconfig tsconfig.json --type All --no-type-check --expose none -o schema.json
node -e 'process.stdout.write(JSON.stringify(JSON.parse(require("fs").readFileSync("schema.json"))))' \
  | gzip -9 -n > "$here/grafana-$version.schema.json.gz"
