# Node.js and npm from the wheel that bases.go has unpacked into this context. apt stays usable: a test image adds a browser.
ARG DEBIAN
FROM ${DEBIAN}
COPY nodejs/ /usr/local/
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
 && groupadd --gid 1000 node \
 && useradd --uid 1000 --gid node --create-home --shell /bin/bash node \
 && node -e 'if (!process.version.startsWith("v24.")) throw process.version' \
 && npm --version
ENV LANG=C.UTF-8
CMD ["node"]
