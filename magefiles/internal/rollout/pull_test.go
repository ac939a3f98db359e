package rollout

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// What container runtimes really say of a pull that failed, as the kubelet passes it on.
var (
	pullsThatMend = map[string]string{
		"containerd: reset":                 `failed to pull and unpack image "reg.example/todo-backend:new": failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://reg.example/v2/todo-backend/blobs/sha256:ab": read tcp 10.0.0.7:43720->10.0.0.9:443: read: connection reset by peer`,
		"containerd: EOF":                   `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": failed to do request: Head "https://reg.example/v2/todo-backend/manifests/new": EOF`,
		"containerd: cut off":               `failed to pull and unpack image "reg.example/todo-backend:new": failed to copy: read tcp 10.0.0.7:43720->10.0.0.9:443: unexpected EOF`,
		"containerd: TLS":                   `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": failed to do request: Head "https://reg.example/v2/todo-backend/manifests/new": net/http: TLS handshake timeout`,
		"containerd: DNS":                   `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": failed to do request: Head "https://reg.example/v2/todo-backend/manifests/new": dial tcp: lookup reg.example on 10.0.0.10:53: server misbehaving`,
		"containerd: slow DNS":              `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": failed to do request: Head "https://reg.example/v2/todo-backend/manifests/new": dial tcp: lookup reg.example: i/o timeout`,
		"containerd: 429":                   `failed to pull and unpack image "docker.io/library/todo-backend:new": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/todo-backend/manifests/sha256:ab: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit`,
		"containerd: 503":                   `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": unexpected status from HEAD request to https://reg.example/v2/todo-backend/manifests/new: 503 Service Unavailable`,
		"containerd: the token's server":    `failed to pull and unpack image "docker.io/library/todo-backend:new": failed to resolve reference "docker.io/library/todo-backend:new": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.docker.io/token?scope=repository: 502 Bad Gateway`,
		"containerd: no progress":           `failed to pull and unpack image "reg.example/todo-backend:new": failed to copy: context canceled`,
		"containerd: its store was cleaned": `failed to pull and unpack image "reg.example/todo-backend:new": failed to extract layer sha256:cd: failed to get reader from content store: content digest sha256:ab: not found`,
		"CRI-O: 429":                        `Error reading manifest new in docker.io/library/todo-backend: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit`,
		"CRI-O: unreachable":                `initializing source docker://reg.example/todo-backend:new: pinging container registry reg.example: Get "https://reg.example/v2/": dial tcp 10.0.0.9:443: i/o timeout`,
		"CRI-O: DNS":                        `pinging container registry reg.example: Get "https://reg.example/v2/": dial tcp: lookup reg.example: Temporary failure in name resolution`,
		"CRI-O: cut off":                    `unable to pull image or OCI artifact: pull image err: copying system image from manifest list: writing blob: storing blob to file "/var/tmp/container_images_storage4208048397/4": happened during read: unexpected EOF; artifact err: image reference: reference is a container image, not an OCI artifact`,
		"CRI-O: 502":                        `fetching target platform image selected from image index: received unexpected HTTP status: 502 Bad Gateway`,
		"CRI-O: one mirror of two":          `(Mirrors also failed: [mirror.example/todo-backend:new: reading manifest new in mirror.example/todo-backend: manifest unknown]): reg.example/todo-backend:new: pinging container registry reg.example: Get "https://reg.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`,
		"docker: reset":                     `Error response from daemon: Get "https://reg.example/v2/todo-backend/manifests/sha256:ab": read tcp 10.183.231.70:43720->142.251.163.82:443: read: connection reset by peer`,
		"docker: 500":                       `Error response from daemon: received unexpected HTTP status: 500 Internal Server Error`,
		"kubelet: too many at once":         `pull QPS exceeded`,
	}
	pullsThatDoNot = map[string]string{
		"containerd: unknown tag":     `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": reg.example/todo-backend:new: not found`,
		"containerd: misleading name": `failed to pull and unpack image "reg.example/503-service-unavailable/i/o timeout/eof:429": failed to resolve reference "reg.example/eof:429": not found`,
		"containerd: denied":          `failed to pull and unpack image "docker.io/library/todo-backend:new": failed to resolve reference "docker.io/library/todo-backend:new": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
		"containerd: unauthorized":    `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": unexpected status from HEAD request to https://reg.example/v2/todo-backend/manifests/new: 401 Unauthorized`,
		"containerd: forbidden":       `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": unexpected status from HEAD request to https://reg.example/v2/todo-backend/manifests/new: 403 Forbidden`,
		"containerd: no token":        `failed to pull and unpack image "ghcr.io/o/todo-backend:new": failed to resolve reference "ghcr.io/o/todo-backend:new": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token: 403 Forbidden`,
		"containerd: architecture":    `failed to pull and unpack image "reg.example/todo-backend:new": no match for platform in manifest: not found`,
		"containerd: plain HTTP":      `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": failed to do request: Head "https://reg.example/v2/todo-backend/manifests/new": http: server gave HTTP response to HTTPS client`,
		"CRI-O: unknown tag":          `initializing source docker://reg.example/todo-backend:new: reading manifest new in reg.example/todo-backend: manifest unknown`,
		"CRI-O: denied":               `Error reading manifest new in docker.io/library/todo-backend: errors: denied: requested access to the resource is denied unauthorized: authentication required`,
		"CRI-O: architecture":         `choosing an image from manifest list docker://reg.example/todo-backend:new: no image found in image index for architecture "arm64", variant "v8", OS "linux"`,
		"docker: unknown tag":         `Error response from daemon: manifest for reg.example/todo-backend:new not found: manifest unknown: manifest unknown`,
		"docker: denied":              `Error response from daemon: pull access denied for todo-backend, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
		"docker: architecture":        `Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries`,
		"ECR: no credentials":         `failed to pull and unpack image "1.dkr.ecr.eu-west-1.amazonaws.com/todo-backend:new": failed to resolve reference: pulling from host 1.dkr.ecr.eu-west-1.amazonaws.com failed with status code [manifests new]: no basic auth credentials`,
	}
	pullsOfWhichNobodyKnows = map[string]string{
		"nobody listens": `failed to pull and unpack image "127.0.0.1:9/none:1": failed to resolve reference "127.0.0.1:9/none:1": failed to do request: Head "https://127.0.0.1:9/v2/none/manifests/1": dial tcp 127.0.0.1:9: connect: connection refused`,
		"no such name":   `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": failed to do request: Head "https://reg.example/v2/todo-backend/manifests/new": dial tcp: lookup reg.example on 10.0.0.10:53: no such host`,
		"a certificate":  `failed to pull and unpack image "reg.example/todo-backend:new": failed to resolve reference "reg.example/todo-backend:new": failed to do request: Head "https://reg.example/v2/todo-backend/manifests/new": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
		"something new":  `failed to pull and unpack image "reg.example/todo-backend:new": a thing that nobody has met`,
	}
)

// A kubelet tells the cause while it tries, and while it waits for the next attempt either repeats it or, before
// version 1.32, does not.
var kubelets = map[string]func(s *state, p *corev1.Pod, said string, attempts int32){
	"at a failed attempt": func(s *state, p *corev1.Pod, said string, attempts int32) {
		failed(s, p, said, attempts)
		wait(main(p), "ErrImagePull", said)
	},
	"between two": func(s *state, p *corev1.Pod, said string, attempts int32) {
		failed(s, p, said, attempts)
		wait(main(p), "ImagePullBackOff", `Back-off pulling image "todo-backend:new": ErrImagePull: `+said)
	},
	"between two of an older kubelet": func(s *state, p *corev1.Pod, said string, attempts int32) {
		failed(s, p, said, attempts)
		wait(main(p), "ImagePullBackOff", `Back-off pulling image "todo-backend:new"`)
	},
}

// failed records pulls that ended in the same way.
func failed(s *state, p *corev1.Pod, said string, attempts int32) {
	s.events = append(s.events,
		event(p, "backend", "Warning", "Failed", `Failed to pull image "todo-backend:new": rpc error: code = Unknown desc = `+said, attempts),
		event(p, "backend", "Warning", "Failed", "Error: ErrImagePull", attempts))
}

func TestAPullThatMayYetSucceedIsWaitedFor(t *testing.T) {
	for name, said := range pullsThatMend {
		for when, pull := range kubelets {
			t.Run(name+", "+when, func(t *testing.T) {
				f, _ := after(upgrade(func(s *state, p *corev1.Pod) { pull(s, p, said, 5) }), time.Hour)
				assert.Nil(t, f)
			})
		}
	}
}

func TestAPullThatCannotSucceedIsNamedAtOnce(t *testing.T) {
	for name, said := range pullsThatDoNot {
		for when, pull := range kubelets {
			t.Run(name+", "+when, func(t *testing.T) {
				f, took := after(upgrade(func(s *state, p *corev1.Pod) { pull(s, p, said, 1) }), time.Hour)
				require.NotNil(t, f)
				assert.Zero(t, took)
				assert.Equal(t, Image, f.Kind)
				assert.Contains(t, f.Error(), "image todo-backend:new cannot be pulled: ")
			})
		}
	}
}

func TestAPullOfWhichNobodyKnowsHasThreeAttempts(t *testing.T) {
	for name, said := range pullsOfWhichNobodyKnows {
		for when, pull := range kubelets {
			t.Run(name+", "+when, func(t *testing.T) {
				f, _ := after(upgrade(func(s *state, p *corev1.Pod) { pull(s, p, said, 2) }), time.Hour)
				assert.Nil(t, f)
				f, took := after(upgrade(func(s *state, p *corev1.Pod) { pull(s, p, said, 3) }), time.Hour)
				require.NotNil(t, f)
				assert.Zero(t, took)
			})
		}
	}
}

func TestAttemptsToPullAreNoMovement(t *testing.T) {
	j, now := newJudge(), time.Now()
	for i := range 20 { // one pod has no room, another tries again and again for an image that its registry does not name
		f := j.verdict(upgrade(func(s *state, p *corev1.Pod) {
			unplaced(p, "0/1 nodes are available: 1 Insufficient cpu.")
			other := pod("backend-new-y", s.replicaSets[1])
			said := pullsOfWhichNobodyKnows["something new"]
			if i%2 == 0 {
				wait(main(other), "ErrImagePull", said)
			} else {
				wait(main(other), "ImagePullBackOff", `Back-off pulling image "todo-backend:new": ErrImagePull: `+said)
			}
			s.pods = append(s.pods, other)
		}), now.Add(time.Duration(i)*time.Second))
		assert.Equal(t, i >= 10, f != nil, "after %d s", i)
	}
}

func TestAPullIsJudgedByWhatItsOwnContainerSaid(t *testing.T) {
	s := upgrade(func(s *state, p *corev1.Pod) {
		wait(main(p), "ImagePullBackOff", `Back-off pulling image "todo-backend:new"`)
		s.events = append(s.events,
			event(p, "backend", "Warning", "Failed", `Failed to pull image "todo-backend:new": toomanyrequests: slow down`, 1),
			event(p, "sidecar", "Warning", "Failed", `Failed to pull image "sidecar:1": sidecar:1: not found`, 1))
	})
	f, _ := after(s, 10*time.Minute)
	assert.Nil(t, f)
}
