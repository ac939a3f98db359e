# What kube-proxy calls: iptables in both of its kinds, and nft. The program itself is a layer on top.
ARG DEBIAN
FROM ${DEBIAN}
RUN apt-get update \
 && apt-get install -y --no-install-recommends iptables nftables conntrack kmod \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
