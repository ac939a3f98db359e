# A kind node: Debian with systemd, kind's own files, the programs, and the images of the control plane and the add-ons in containerd's store.
# The packages are those that kind's node has, less what only network storage and its test suites need. isal unpacks layers for containerd, in half of
# the time that pigz takes.
ARG DEBIAN
FROM ${DEBIAN}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      systemd dbus conntrack iptables nftables iproute2 ethtool util-linux mount kmod libseccomp2 isal \
      bash ca-certificates curl jq procps e2fsprogs socat \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log \
 # Of systemd's own units only the core is to run: no devices, no consoles, no file systems. kind makes the temporary files itself.
 && cd /lib/systemd/system \
 && rm -f multi-user.target.wants/* local-fs.target.wants/* basic.target.wants/* sockets.target.wants/*udev* sockets.target.wants/*initctl* \
          sysinit.target.wants/systemd-tmpfiles-setup.service /etc/systemd/system/*.wants/* \
 && echo ReadKMsg=no >>/etc/systemd/journald.conf \
 && ln -sf /usr/lib/systemd/systemd /usr/sbin/init
COPY root/ /
RUN mkdir -p /etc/kubernetes/manifests \
 && systemctl enable kubelet.service containerd.service undo-mount-hacks.service \
 && systemctl mask systemd-binfmt.service \
 # Every container of the node runs kind's hook, and without limits that a nested container may not set.
 && ctr oci spec \
    | jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' >/etc/containerd/cri-base.json
RUN --mount=type=bind,source=images,target=/images --mount=type=tmpfs,target=/run --mount=type=tmpfs,target=/tmp \
    sh /images/preload.sh
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]
