# Python 3.11 as Debian builds it, with venv (and so pip inside a venv), and nothing to compile with.
ARG DEBIAN
FROM ${DEBIAN}
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv python-is-python3 \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log \
 && python3 -c 'import sys, venv, ensurepip, ssl, sqlite3; assert sys.version_info[:2] == (3, 11)'
ENV LANG=C.UTF-8
CMD ["python3"]
