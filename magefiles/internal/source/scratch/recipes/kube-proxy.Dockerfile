# What kube-proxy calls: iptables in both of its kinds, and nft. The program itself is a layer on top.
ARG DEBIAN
FROM ${DEBIAN}
RUN apt-get update \
 && apt-get install -y --no-install-recommends iptables nftables conntrack kmod \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log
