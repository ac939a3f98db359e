package rollout

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
)

// after gives the verdict on a state that does not change, and how long it took, by a clock that goes faster the longer
// nothing happens.
func after(s state, limit time.Duration) (*Failure, time.Duration) {
	j, start := newJudge(), time.Now()
	for t := time.Duration(0); t <= limit; t += max(time.Second, t/8) {
		if f := j.verdict(s, start.Add(t)); f != nil {
			return f, t
		}
	}
	return nil, limit
}

// exactly is after by the second.
func exactly(s state, limit time.Duration) (*Failure, time.Duration) {
	j, start := newJudge(), time.Now()
	for t := time.Duration(0); t <= limit; t += time.Second {
		if f := j.verdict(s, start.Add(t)); f != nil {
			return f, t
		}
	}
	return nil, limit
}

func unplaced(p *corev1.Pod, message string) {
	p.Spec.NodeName = ""
	p.Status.ContainerStatuses, p.Status.InitContainerStatuses = nil, nil
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: message}}
}

func refused(s *state, message string) {
	s.pods = s.pods[1:]
	s.deployments[0].Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message}}
}

func TestARolloutThatCannotSucceedIsNamedWithin15Seconds(t *testing.T) {
	for name, k := range map[string]struct {
		change func(*state, *corev1.Pod)
		kind   Kind
		want   string
	}{
		"image cannot be pulled": {func(s *state, p *corev1.Pod) {
			wait(main(p), "ImagePullBackOff", `Back-off pulling image "todo-backend:new"`)
			s.events = append(s.events, event(p, "backend", "Warning", "Failed",
				`Failed to pull image "todo-backend:new": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/todo-backend:new": docker.io/library/todo-backend:new: not found`, 2))
		}, Image, "pod backend-new-x, container backend: image todo-backend:new cannot be pulled: docker.io/library/todo-backend:new: not found"},
		"image pull fails for the first time": {func(_ *state, p *corev1.Pod) {
			wait(main(p), "ErrImagePull", `rpc error: code = Unknown desc = denied`)
		}, Image, "container backend: image todo-backend:new cannot be pulled: denied"},
		"image is not there and never pulled": {func(_ *state, p *corev1.Pod) {
			wait(migrate(p), "ErrImageNeverPull", `Container image "todo-backend:new" is not present with pull policy of Never`)
		}, Image, "container migrate: image todo-backend:new cannot be used: Container image"},
		"image name is no name": {func(_ *state, p *corev1.Pod) {
			wait(main(p), "InvalidImageName", `couldn't parse image name "A:B:C"`)
		}, Image, "cannot be used: couldn't parse image name"},
		"crash loop": {func(_ *state, p *corev1.Pod) { crashing(main(p), 2, "Error") },
			Crash, "pod backend-new-x, container backend: ends with exit code 2"},
		"a service that ends by itself": {func(_ *state, p *corev1.Pod) { crashing(main(p), 0, "Completed") },
			Crash, "container backend: ends with exit code 0"},
		"out of memory": {func(_ *state, p *corev1.Pod) { crashing(main(p), 137, "OOMKilled") },
			Memory, "container backend: was killed for using more memory than its limit of 512Mi"},
		"program not found": {func(_ *state, p *corev1.Pod) { crashing(main(p), 128, "StartError") },
			Start, `container backend: cannot be started: exec: "python": not found`},
		"init container fails": {func(_ *state, p *corev1.Pod) { crashing(migrate(p), 1, "Error") },
			Init, "container migrate: ends with exit code 1"},
		"init container tries for the second time, for long": {func(_ *state, p *corev1.Pod) {
			run(migrate(p), false)
			migrate(p).LastTerminationState.Terminated = ended(1, "Error")
			migrate(p).RestartCount = 1
		}, Init, "container migrate: ends with exit code 1"},
		"a missing key": {func(_ *state, p *corev1.Pod) {
			wait(main(p), "CreateContainerConfigError", "couldn't find key JWT_SECRET in Secret todo/app-secrets")
		}, Config, "container backend: couldn't find key JWT_SECRET in Secret todo/app-secrets"},
		"the container cannot be made": {func(_ *state, p *corev1.Pod) { wait(main(p), "CreateContainerError", "no such user") },
			Start, "container backend: CreateContainerError: no such user"},
		"no room": {func(_ *state, p *corev1.Pod) {
			unplaced(p, "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")
		}, Unschedulable, "pod backend-new-x: no node takes it: 0/1 nodes are available: 1 Insufficient memory; it asks for 200m of cpu and 256Mi of memory"},
		"node under pressure": {func(_ *state, p *corev1.Pod) {
			unplaced(p, "0/1 nodes are available: 1 node(s) had untolerated taint(s) {node.kubernetes.io/disk-pressure: }.")
		}, NodePressure, "disk-pressure"},
		"evicted": {func(_ *state, p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Evicted", "The node was low on resource: ephemeral-storage."
		}, NodePressure, "pod backend-new-x: Evicted: The node was low on resource: ephemeral-storage."},
		"no storage class": {func(s *state, p *corev1.Pod) {
			unplaced(p, "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
			p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
			claim := &corev1.PersistentVolumeClaim{ObjectMeta: meta("data", nil), Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}}
			s.claims = append(s.claims, claim)
			s.events = append(s.events, event(claim, "", "Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set", 3))
		}, Volume, "volume claim data is pending: no persistent volumes available for this claim and no storage class is set"},
		"volume cannot be mounted": {func(s *state, p *corev1.Pod) {
			s.events = append(s.events, event(p, "", "Warning", "FailedMount", `MountVolume.SetUp failed for volume "ca" : configmap "ca" not found`, 4))
		}, Volume, `pod backend-new-x: MountVolume.SetUp failed for volume "ca" : configmap "ca" not found`},
		"no network": {func(s *state, p *corev1.Pod) {
			s.events = append(s.events, event(p, "", "Warning", "FailedCreatePodSandBox", `no runtime for "kata" is configured`, 2))
		}, Sandbox, `no runtime for "kata" is configured`},
		"not ready": {func(s *state, p *corev1.Pod) {
			run(main(p), true)
			s.events = append(s.events, event(p, "backend", "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", 4))
		}, Probe, "container backend: runs but is not ready: Readiness probe failed: HTTP probe failed with statuscode: 404"},
		"never starts to answer": {func(s *state, p *corev1.Pod) {
			run(main(p), false)
			main(p).RestartCount, main(p).LastTerminationState.Terminated = 1, ended(137, "Error")
			s.events = append(s.events,
				event(p, "backend", "Warning", "Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 500", 60),
				event(p, "backend", "Normal", "Killing", "Container backend failed startup probe, will be restarted", 1))
		}, Probe, "container backend: was restarted for not answering: Startup probe failed: HTTP probe failed with statuscode: 500"},
		"quota": {func(s *state, _ *corev1.Pod) {
			refused(s, `pods "backend-new-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5, limited: pods=5`)
		}, Quota, `deployment backend: pods "backend-new-x" is forbidden: exceeded quota: small`},
		"webhook": {func(s *state, _ *corev1.Pod) {
			refused(s, `admission webhook "policy.example.com" denied the request: no`)
		}, Refused, `deployment backend: admission webhook "policy.example.com" denied the request: no`},
		"pod security": {func(s *state, _ *corev1.Pod) {
			refused(s, `pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true`)
		}, Refused, `violates PodSecurity "restricted:latest"`},
		"refused pod of a StatefulSet": {func(s *state, _ *corev1.Pod) {
			set := statefulSet()
			set.Status.Replicas = 0
			e := event(set, "", "Warning", "FailedCreate", `create Pod postgres-0 in StatefulSet postgres failed error: exceeded quota: small`, 1)
			s.statefulSets, s.pods, s.events = append(s.statefulSets, set), s.pods[1:], append(s.events, e)
			s.fresh[e.UID] = true
		}, Quota, "statefulset postgres: create Pod postgres-0"},
	} {
		t.Run(name, func(t *testing.T) {
			f, took := after(upgrade(k.change), time.Minute)
			require.NotNil(t, f)
			assert.LessOrEqual(t, took, 15*time.Second)
			assert.Equal(t, k.kind, f.Kind)
			assert.Contains(t, f.Error(), k.want)
			assert.NotContains(t, f.Error(), "\n")
			assert.Equal(t, fault.CodeRollout, fault.Code(f))
			assert.Equal(t, kinds[k.kind].remedy, fault.Remedy(f))
			assert.NotEmpty(t, f.Remedy())
		})
	}
}

func TestSlowIsNotBroken(t *testing.T) {
	for name, change := range map[string]func(*state, *corev1.Pod){
		"image is being pulled": func(s *state, p *corev1.Pod) {
			wait(main(p), "ContainerCreating", "")
			s.events = append(s.events, event(p, "backend", "Normal", "Pulling", "Pulling image", 1))
		},
		"init container waits for the database": func(_ *state, p *corev1.Pod) { run(migrate(p), false) },
		"starting": func(s *state, p *corev1.Pod) {
			run(main(p), false)
			s.events = append(s.events, event(p, "backend", "Warning", "Unhealthy", "Startup probe failed: connection refused", 9))
		},
		"second attempt runs": func(_ *state, p *corev1.Pod) {
			run(main(p), false)
			main(p).RestartCount, main(p).LastTerminationState.Terminated = 1, ended(1, "Error")
		},
		"started again with its node": func(_ *state, p *corev1.Pod) {
			wait(main(p), "ContainerCreating", "")
			main(p).RestartCount, main(p).LastTerminationState.Terminated = 3, ended(255, "Unknown")
		},
		"went away with its node": func(_ *state, p *corev1.Pod) {
			main(p).State = corev1.ContainerState{Terminated: ended(255, "Unknown")}
		},
		"begins with its init container again": func(_ *state, p *corev1.Pod) {
			run(migrate(p), false)
			main(p).State = corev1.ContainerState{Terminated: ended(137, "Error")}
		},
		"one failed sandbox": func(s *state, p *corev1.Pod) {
			s.events = append(s.events, event(p, "", "Warning", "FailedCreatePodSandBox", "unable to freeze", 1))
		},
		"old pods are broken": func(s *state, _ *corev1.Pod) {
			for _, p := range s.pods[1:] {
				p.Status.Conditions = nil
				crashing(main(p), 1, "Error")
			}
		},
		"the controller has not looked yet": func(s *state, p *corev1.Pod) {
			s.deployments[0].Generation++
			crashing(main(p), 1, "Error")
		},
		"volume is being made": func(s *state, p *corev1.Pod) {
			p.Spec.NodeName, p.Status.InitContainerStatuses, p.Status.ContainerStatuses = "", nil, nil
			p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
			claim := &corev1.PersistentVolumeClaim{ObjectMeta: meta("data", nil)}
			s.claims = append(s.claims, claim)
			s.events = append(s.events, event(claim, "", "Normal", "ExternalProvisioning", "waiting for a volume", 5))
		},
		"no room while an old pod leaves": func(s *state, p *corev1.Pod) {
			unplaced(p, "0/1 nodes are available: 1 Insufficient cpu.")
			s.pods[2].DeletionTimestamp = &metav1.Time{Time: time.Now()}
		},
		"not ready while the database starts": func(s *state, p *corev1.Pod) {
			run(main(p), true)
			s.events = append(s.events, event(p, "backend", "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 4))
			set := statefulSet()
			db := pod("postgres-0", set)
			db.Labels[appsv1.ControllerRevisionHashLabelKey] = "postgres-1"
			wait(main(db), "ContainerCreating", "")
			s.statefulSets, s.pods = append(s.statefulSets, set), append(s.pods, db)
		},
		"refused long ago": func(s *state, _ *corev1.Pod) {
			set := statefulSet()
			set.Status.Replicas = 0
			s.statefulSets = append(s.statefulSets, set)
			s.events = append(s.events, event(set, "", "Warning", "FailedCreate", "exceeded quota", 9))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, took := after(upgrade(change), 2*time.Minute)
			assert.Nil(t, f, "after %s", took)
		})
	}
}

func TestWhatMendsItselfIsForgotten(t *testing.T) {
	bad := upgrade(func(_ *state, p *corev1.Pod) { wait(main(p), "ErrImagePull", "timeout") })
	good := upgrade(func(_ *state, p *corev1.Pod) { wait(main(p), "ContainerCreating", "") })
	j, now := newJudge(), time.Now()
	for i, s := range []state{bad, good, bad, good, bad} {
		assert.Nil(t, j.verdict(s, now.Add(time.Duration(i)*4*time.Second)))
	}
}

func TestNoRoomCountsFromWhenNothingMovesAnyMore(t *testing.T) {
	j, now := newJudge(), time.Now()
	full := upgrade(func(_ *state, p *corev1.Pod) { unplaced(p, "0/1 nodes are available: 1 Insufficient cpu.") })
	leaving := upgrade(func(s *state, p *corev1.Pod) {
		unplaced(p, "0/1 nodes are available: 1 Insufficient cpu.")
		s.pods[2].DeletionTimestamp = &metav1.Time{Time: now}
	})
	assert.Nil(t, j.verdict(leaving, now))
	assert.Nil(t, j.verdict(leaving, now.Add(30*time.Second)))
	assert.Nil(t, j.verdict(full, now.Add(31*time.Second)))
	assert.Nil(t, j.verdict(full, now.Add(40*time.Second)))
	assert.NotNil(t, j.verdict(full, now.Add(41*time.Second)))
}

func TestDoneNeedsEverythingNewAndNothingOld(t *testing.T) {
	for name, change := range map[string]func(*appsv1.Deployment){
		"not looked at yet": func(d *appsv1.Deployment) { d.Generation++ },
		"an old pod left":   func(d *appsv1.Deployment) { d.Status.Replicas = 3 },
		"one not updated":   func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 },
		"one not available": func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			d := finished("backend")
			require.True(t, state{deployments: []*appsv1.Deployment{d}}.done())
			change(d)
			assert.False(t, state{deployments: []*appsv1.Deployment{d}}.done())
		})
	}
	set := statefulSet()
	assert.False(t, state{statefulSets: []*appsv1.StatefulSet{set}}.done())
	set.Status.AvailableReplicas = 1
	assert.True(t, state{statefulSets: []*appsv1.StatefulSet{set}}.done())
}

func TestTimedOutSaysWhatItWasAt(t *testing.T) {
	slow := upgrade(func(_ *state, p *corev1.Pod) { run(migrate(p), false) })
	f := newJudge().timedOut(slow, 5*time.Minute)
	assert.Equal(t, Timeout, f.Kind)
	assert.Equal(t, "pod backend-new-x, container migrate: migrate runs after 5m0s", f.Error())

	broken := upgrade(func(_ *state, p *corev1.Pod) { wait(main(p), "ErrImagePull", "denied") })
	assert.Equal(t, Image, newJudge().timedOut(broken, time.Second).Kind)

	nothing := upgrade(func(s *state, _ *corev1.Pod) { s.pods = s.pods[1:] })
	assert.Equal(t, "backend: 1 of 2 ready after 1s", newJudge().timedOut(nothing, time.Second).Error())
}

func TestSummaryIsForPeople(t *testing.T) {
	s := upgrade(func(_ *state, p *corev1.Pod) { run(main(p), false) })
	s.statefulSets = append(s.statefulSets, statefulSet())
	assert.Equal(t, "backend 1/2 (starting), postgres 0/1", s.summary(s.problems()))
}

func TestTheTellingLineOfALog(t *testing.T) {
	for want, log := range map[string][]string{
		"no database":             {`{"level":"INFO","message":"start"}`, `{"level":"ERROR","message":"no database"}`, `{"level":"INFO","message":"bye"}`},
		"ValueError: bad setting": {"Traceback", "ValueError: bad setting", ""},
		"last words":              {"first", "last words"},
		"":                        {},
	} {
		assert.Equal(t, want, telling(log))
	}
}
