# PostgreSQL 15 as Debian builds it, behind the environment variables of the official image.
ARG DEBIAN
FROM ${DEBIAN}
# The user comes first: its number is the official image's, so that a volume can pass from one to the other. Without a cluster of Debian's own.
# The just-in-time compiler brings 110 MB of LLVM and gains nothing on short queries; the server does without it where it is absent.
RUN groupadd --system --gid 999 postgres \
 && useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres \
 && mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
 && apt-get update \
 && apt-get install -y --no-install-recommends postgresql-15 libnss-wrapper locales \
      -o Dpkg::Options::=--force-confold \
 && localedef -i en_US -c -f UTF-8 en_US.UTF-8 \
 && rm -rf /usr/lib/postgresql/15/lib/llvmjit* /usr/lib/postgresql/15/lib/bitcode /usr/lib/*/libLLVM-14.so* /usr/lib/*/libz3.so* /usr/share/i18n \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log \
 && install -d -o postgres -g postgres -m 3777 /var/run/postgresql \
 && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV LANG=en_US.utf8 PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
EXPOSE 5432
# SIGINT is the server's fast shutdown: it ends sessions instead of waiting for them.
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
