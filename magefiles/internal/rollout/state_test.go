package rollout

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The objects below look like those of a real cluster in the middle of an upgrade: revision 1 serves, revision 2 has
// its first pod.

var releaseLabel = map[string]string{"app.kubernetes.io/instance": "todo-app"}

func meta(name string, owner metav1.Object) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: "todo", Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{}, Annotations: map[string]string{}}
	for k, v := range releaseLabel {
		m.Labels[k] = v
	}
	if owner != nil {
		yes := true
		m.OwnerReferences = []metav1.OwnerReference{{Name: owner.GetName(), UID: owner.GetUID(), Controller: &yes}}
	}
	return m
}

func deployment(name string) *appsv1.Deployment {
	two := int32(2)
	d := &appsv1.Deployment{ObjectMeta: meta(name, nil), Spec: appsv1.DeploymentSpec{Replicas: &two}}
	d.Generation = 7
	d.Annotations[revisionAnnotation] = "2"
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 7, Replicas: 3, UpdatedReplicas: 1, AvailableReplicas: 2}
	return d
}

func finished(name string) *appsv1.Deployment {
	d := deployment(name)
	d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.AvailableReplicas = 2, 2, 2
	return d
}

func replicaSet(name, revision string, owner *appsv1.Deployment) *appsv1.ReplicaSet {
	r := &appsv1.ReplicaSet{ObjectMeta: meta(name, owner)}
	r.Annotations[revisionAnnotation] = revision
	return r
}

func statefulSet() *appsv1.StatefulSet {
	one := int32(1)
	s := &appsv1.StatefulSet{ObjectMeta: meta("postgres", nil), Spec: appsv1.StatefulSetSpec{Replicas: &one}}
	s.Generation = 1
	s.Status = appsv1.StatefulSetStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, UpdateRevision: "postgres-1"}
	return s
}

func pod(name string, owner metav1.Object) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: meta(name, owner)}
	p.Spec = corev1.PodSpec{
		NodeName:       "node",
		InitContainers: []corev1.Container{{Name: "migrate", Image: "todo-backend:new"}},
		Containers: []corev1.Container{{Name: "backend", Image: "todo-backend:new", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("200m"), corev1.ResourceMemory: resource.MustParse("256Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
		}}},
	}
	p.Status = corev1.PodStatus{
		Phase: corev1.PodPending,
		InitContainerStatuses: []corev1.ContainerStatus{{Name: "migrate", Image: "todo-backend:new", Ready: true,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "backend", Image: "todo-backend:new",
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}}},
	}
	return p
}

// upgrade is the state with the new pod changed by change.
func upgrade(change func(*state, *corev1.Pod)) state {
	d := deployment("backend")
	before, after := replicaSet("backend-old", "1", d), replicaSet("backend-new", "2", d)
	p := pod("backend-new-x", after)
	s := state{
		deployments: []*appsv1.Deployment{d},
		replicaSets: []*appsv1.ReplicaSet{before, after},
		pods:        []*corev1.Pod{p, readyPod("backend-old-a", before), readyPod("backend-old-b", before)},
		fresh:       map[types.UID]bool{},
		room:        room{fixed: true}, // as of a kind cluster
	}
	change(&s, p)
	return s
}

func readyPod(name string, owner metav1.Object) *corev1.Pod {
	p := pod(name, owner)
	p.Status.Phase = corev1.PodRunning
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	run(&p.Status.ContainerStatuses[0], true)
	p.Status.ContainerStatuses[0].Ready = true
	return p
}

func main(p *corev1.Pod) *corev1.ContainerStatus    { return &p.Status.ContainerStatuses[0] }
func migrate(p *corev1.Pod) *corev1.ContainerStatus { return &p.Status.InitContainerStatuses[0] }

func wait(c *corev1.ContainerStatus, reason, message string) {
	c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	c.Ready = false
}

func run(c *corev1.ContainerStatus, started bool) {
	c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	c.Started = &started
	c.Ready = false
}

func ended(code int32, reason string) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: "exec: \"python\": not found"}
}

// crashing is a container in its back-off after two failures.
func crashing(c *corev1.ContainerStatus, code int32, reason string) {
	wait(c, crashLoop, "back-off 10s restarting failed container")
	c.LastTerminationState.Terminated = ended(code, reason)
	c.RestartCount = 1
}

func event(about metav1.Object, container, kind, reason, message string, count int32) *corev1.Event {
	e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: about.GetName() + reason, UID: types.UID(about.GetName() + reason + message)}}
	e.Type, e.Reason, e.Message, e.Count = kind, reason, message, count
	e.InvolvedObject = corev1.ObjectReference{UID: about.GetUID(), Name: about.GetName()}
	if container != "" {
		e.InvolvedObject.FieldPath = "spec.containers{" + container + "}"
	}
	return e
}
