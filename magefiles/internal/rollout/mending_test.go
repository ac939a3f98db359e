package rollout

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOtherFailuresThatMend(t *testing.T) {
	mounting := func(message string) func(*state, *corev1.Pod) {
		return func(s *state, p *corev1.Pod) {
			s.events = append(s.events, event(p, "", "Warning", "FailedMount", message, 9))
		}
	}
	sandbox := func(messages ...string) func(*state, *corev1.Pod) {
		return func(s *state, p *corev1.Pod) {
			for _, m := range messages { // the kubelet counts them apart, as each names another sandbox
				s.events = append(s.events, event(p, "", "Warning", "FailedCreatePodSandBox", m, 1))
			}
		}
	}
	refusal := func(message string) func(*state, *corev1.Pod) {
		return func(s *state, _ *corev1.Pod) { refused(s, message) }
	}
	waiting := func(reason, message string) func(*state, *corev1.Pod) {
		return func(_ *state, p *corev1.Pod) { wait(main(p), reason, message) }
	}
	for name, change := range map[string]func(*state, *corev1.Pod){
		"the registry is away": waiting("RegistryUnavailable", "image pull failed for todo-backend:new because the registry is unavailable"),
		"the kubelet has not read a Secret yet": waiting("CreateContainerConfigError",
			"failed to sync secret cache: timed out waiting for the condition"),
		"a node under load": waiting("CreateContainerError", "context deadline exceeded"),
		"a node that is still at it": waiting("CreateContainerError",
			`failed to reserve container name "backend_backend-new-x_todo_1_0": name "backend_backend-new-x_todo_1_0" is reserved for "2f60"`),
		"the network plugin starts": sandbox(
			`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "f11fd07d": plugin type="cilium-cni" failed (add): unable to connect to Cilium agent: dial unix /var/run/cilium/cilium.sock: connect: connection refused`,
			`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "3fe33199": plugin type="cilium-cni" failed (add): unable to connect to Cilium agent: dial unix /var/run/cilium/cilium.sock: connect: connection refused`),
		"addresses run short": sandbox("plugin type=\"aws-cni\" failed (add): add cmd: failed to assign an IP address to container", "again"+
			": failed to assign an IP address to container"),
		"the volume is still at another node": mounting(`Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can't be attached to another`),
		"the driver starts":                   mounting(`MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers`),
		"the driver is slow":                  mounting(`AttachVolume.Attach failed for volume "pvc-1" : rpc error: code = DeadlineExceeded desc = context deadline exceeded`),
		"the kubelet starts":                  mounting(`MountVolume.SetUp failed for volume "ca" : failed to sync configmap cache: timed out waiting for the condition`),
		"a webhook starts":                    refusal(`Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://hook.ops.svc:443/?timeout=10s": dial tcp 10.96.3.4:443: connect: connection refused`),
		"a webhook has no pod yet":            refusal(`Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://hook.ops.svc:443/?timeout=10s": no endpoints available for service "hook"`),
		"a webhook is slow":                   refusal(`Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://hook.ops.svc:443/?timeout=10s": context deadline exceeded`),
		"a quota is being counted":            refusal(`pods "backend-new-x" is forbidden: status unknown for quota: small, resources: pods`),
		"the API server changes hands":        refusal(`etcdserver: leader changed`),
		"a volume is being made": func(s *state, p *corev1.Pod) {
			claimed(s, p, "Normal", "ExternalProvisioning", "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually by the system administrator.")
		},
		"a volume is made late": func(s *state, p *corev1.Pod) {
			claimed(s, p, "Warning", "ProvisioningFailed", `failed to provision volume with StorageClass "gp3": rpc error: code = DeadlineExceeded desc = context deadline exceeded`)
		},
		"crashes while the database's image is pulled": func(s *state, p *corev1.Pod) {
			crashing(migrate(p), 1, "Error")
			withDatabase(s, func(db *corev1.Pod) {
				wait(main(db), "ErrImagePull", `Head "https://reg.example/v2/postgres/manifests/18": EOF`)
			})
		},
		"not ready while the database's image is pulled": func(s *state, p *corev1.Pod) {
			run(main(p), true)
			s.events = append(s.events, event(p, "backend", "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 4))
			withDatabase(s, func(db *corev1.Pod) {
				wait(main(db), "ErrImagePull", `Head "https://reg.example/v2/postgres/manifests/18": EOF`)
			})
		},
		"failed before the database was ready, and not yet again": func(s *state, p *corev1.Pod) {
			crashing(migrate(p), 1, "Error")
			at := time.Now()
			migrate(p).LastTerminationState.Terminated.FinishedAt = metav1.NewTime(at)
			withDatabase(s, func(db *corev1.Pod) {
				db.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(at.Add(time.Second))}}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, took := after(upgrade(change), 10*time.Minute)
			assert.Nil(t, f, "after %s", took)
		})
	}
}

// claimed is a pod that waits for a volume, of which there is one event.
func claimed(s *state, p *corev1.Pod, kind, reason, message string) {
	unplaced(p, "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
	p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: meta("data", nil), Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}}
	s.claims = append(s.claims, claim)
	s.events = append(s.events, event(claim, "", kind, reason, message, 3))
}

// withDatabase adds a StatefulSet with a pod that is not ready unless change makes it so.
func withDatabase(s *state, change func(*corev1.Pod)) {
	set := statefulSet()
	db := pod("postgres-0", set)
	db.Labels[appsv1.ControllerRevisionHashLabelKey] = "postgres-1"
	change(db)
	s.statefulSets, s.pods = append(s.statefulSets, set), append(s.pods, db)
}

func TestWhatIsStuckIsGivenUpWithin15Seconds(t *testing.T) {
	for kind, k := range kinds {
		assert.LessOrEqual(t, k.stuck, 10*time.Second, kind)
		assert.GreaterOrEqual(t, k.unsure, k.stuck, kind)
		assert.NotEmpty(t, k.remedy, kind)
	}
}

func TestHowLongIsWaitedForWhatMayMend(t *testing.T) {
	sandbox := func(ids ...string) func(*state, *corev1.Pod) {
		return func(s *state, p *corev1.Pod) {
			for _, id := range ids {
				s.events = append(s.events, event(p, "", "Warning", "FailedCreatePodSandBox", `failed to setup network for sandbox "`+id+`": plugin type="ptp" failed`, 1))
			}
		}
	}
	unready := func(message string) func(*state, *corev1.Pod) {
		return func(s *state, p *corev1.Pod) {
			run(main(p), true)
			s.events = append(s.events, event(p, "backend", "Warning", "Unhealthy", "Readiness probe failed: "+message, 4))
		}
	}
	for name, k := range map[string]struct {
		change func(*state, *corev1.Pod)
		kind   Kind
		takes  time.Duration
	}{
		"a network plugin says something unknown": {sandbox("f11fd07d", "3fe33199"), Sandbox, time.Minute},
		"the service says that it is not ready":   {unready("HTTP probe failed with statuscode: 503"), Probe, time.Minute},
		"the service is slow": {unready(`Get "http://10.0.0.7:8000/health/ready": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`),
			Probe, time.Minute},
		"the service has no such page": {unready("HTTP probe failed with statuscode: 404"), Probe, 10 * time.Second},
		"the service does not listen":  {unready(`Get "http://10.0.0.7:8000/health/ready": dial tcp 10.0.0.7:8000: connect: connection refused`), Probe, 10 * time.Second},
		"a webhook's certificate": {func(s *state, _ *corev1.Pod) {
			refused(s, `Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://hook.ops.svc:443/": tls: failed to verify certificate: x509: certificate signed by unknown authority`)
		}, Refused, time.Minute},
		"a webhook that is no more": {func(s *state, _ *corev1.Pod) {
			refused(s, `Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://hook.ops.svc:443/?timeout=2s": service "hook" not found`)
		}, Refused, 5 * time.Second},
		"a webhook that denies, whatever it says": {func(s *state, _ *corev1.Pod) {
			refused(s, `admission webhook "pods.example.com" denied the request: timed out jobs need connection reset`)
		}, Refused, 5 * time.Second},
		"a driver that says something unknown": {func(s *state, p *corev1.Pod) {
			claimed(s, p, "Warning", "ProvisioningFailed", `failed to provision volume with StorageClass "gp3": could not create volume`)
		}, Volume, time.Minute},
		"a storage class that is not there": {func(s *state, p *corev1.Pod) {
			claimed(s, p, "Warning", "ProvisioningFailed", `storageclass.storage.k8s.io "gp3" not found`)
		}, Volume, 10 * time.Second},
		"a first failure, and a second attempt that takes long": {func(_ *state, p *corev1.Pod) {
			run(migrate(p), false)
			migrate(p).LastTerminationState.Terminated = ended(1, "Error")
		}, Init, 10 * time.Second},
		"its own limit": {func(_ *state, p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Evicted", `Usage of EmptyDir volume "tmp" exceeds the limit "64Mi".`
		}, NodePressure, 10 * time.Second},
		"a signature": {func(_ *state, p *corev1.Pod) {
			wait(main(p), "SignatureValidationFailed", "image pull failed for todo-backend:new because the signature validation failed")
		}, Image, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f, took := exactly(upgrade(k.change), 10*time.Minute)
			require.NotNil(t, f)
			assert.Equal(t, k.kind, f.Kind)
			assert.Equal(t, k.takes, took)
		})
	}
}

func TestWhatYieldsCountsFromWhenNothingMovesAnyMore(t *testing.T) {
	for name, change := range map[string]func(*state, *corev1.Pod){
		"a quota, as pods of the version before leave": func(s *state, _ *corev1.Pod) {
			refused(s, `pods "backend-new-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5, limited: pods=5`)
			s.pods[0].DeletionTimestamp = &metav1.Time{Time: time.Now()}
		},
		"an evicted pod, as another comes in its place": func(s *state, p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Evicted", "The node was low on resource: memory."
			other := pod("backend-new-y", s.replicaSets[1])
			wait(main(other), "ContainerCreating", "")
			s.pods = append(s.pods, other)
		},
		"a pod that a node did not take, as another comes in its place": func(s *state, p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "OutOfcpu", "Node didn't have enough resource: cpu"
			other := pod("backend-new-y", s.replicaSets[1])
			wait(main(other), "ContainerCreating", "")
			s.pods = append(s.pods, other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := after(upgrade(change), 10*time.Minute)
			assert.Nil(t, f)
		})
	}
}

func TestAProblemThatTurnsOutToBeStuckHasItsOwnPatience(t *testing.T) {
	j, now := newJudge(), time.Now()
	at := func(seconds int, message string) *Failure {
		return j.verdict(upgrade(func(s *state, _ *corev1.Pod) { refused(s, message) }), now.Add(time.Duration(seconds)*time.Second))
	}
	assert.Nil(t, at(0, `failed calling webhook "a": connection refused`))
	assert.Nil(t, at(60, `failed calling webhook "a": connection refused`))
	assert.Nil(t, at(61, `admission webhook "a" denied the request: no`))
	f := at(66, `admission webhook "a" denied the request: no`)
	require.NotNil(t, f)
	assert.Equal(t, now.Add(61*time.Second), f.Since)
}
