# minikube's base image for the docker driver: the node image, with what minikube itself expects in a node. It logs in
# through ssh as the user docker, works through sudo, and brings its own unit of the kubelet.
FROM @NODE@
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openssh-server sudo openssl lz4 ebtables \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log \
 # Each node makes host keys of its own when it first starts.
 && rm -f /etc/ssh/ssh_host_* \
 && mkdir -p /etc/systemd/system/ssh.service.d \
 && printf '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n' \
      >/etc/systemd/system/ssh.service.d/keys.conf \
 && printf 'PubkeyAcceptedAlgorithms +ssh-rsa\nHostkeyAlgorithms +ssh-rsa\nPasswordAuthentication no\n' >/etc/ssh/sshd_config.d/minikube.conf \
 && systemctl enable ssh.service \
 && groupadd --force docker \
 && useradd --create-home --shell /bin/bash --gid docker --password '*' docker \
 && install -d -o docker -g docker -m 0700 /home/docker/.ssh \
 && printf 'docker ALL=(ALL) NOPASSWD:ALL\n' >/etc/sudoers.d/docker && chmod 0440 /etc/sudoers.d/docker \
 # kind's unit in /etc would win over minikube's in /lib.
 && systemctl disable kubelet.service \
 && rm -rf /etc/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d \
 # minikube looks for these in /usr/bin.
 && ln -sf /usr/local/bin/containerd /usr/local/bin/ctr /usr/local/sbin/runc /usr/bin/ \
 # minikube's sed turns "restrict_oom_score_adj = ..." into false, which takes CAP_SYS_RESOURCE. Written like this, it
 # stays, and serves with the capability too.
 && sed -i 's/^\( *\)restrict_oom_score_adj = .*$/\1restrict_oom_score_adj=true/' /etc/containerd/config.toml \
 && grep -q 'restrict_oom_score_adj=true' /etc/containerd/config.toml \
 && printf '{"iso_version": "todo", "kicbase_version": "todo", "minikube_version": "@MINIKUBE@", "commit": "todo"}\n' >/version.json \
 # Where minikube looks for Kubernetes' programs before it copies its own there.
 && mkdir -p /var/lib/minikube/binaries/@KUBERNETES@ \
 && ln -s /usr/bin/kubeadm /usr/bin/kubelet /usr/bin/kubectl /var/lib/minikube/binaries/@KUBERNETES@/
COPY crictl /usr/local/bin/
