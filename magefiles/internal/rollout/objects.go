package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"todo.local/magefiles/internal/kube"
)

// Objects are what a cluster has of a release at one moment.
type Objects struct {
	Deployments  []appsv1.Deployment
	StatefulSets []appsv1.StatefulSet
	ReplicaSets  []appsv1.ReplicaSet
	Pods         []corev1.Pod
	Claims       []corev1.PersistentVolumeClaim
	Events       []corev1.Event // of the whole namespace
}

// Problems gives everything that keeps the release from coming up, or would if it lasted, the most telling first. No
// log is read for it.
func Problems(o Objects, now time.Time) []*Failure {
	s := state{
		deployments: pointers(o.Deployments), statefulSets: pointers(o.StatefulSets), replicaSets: pointers(o.ReplicaSets), pods: pointers(o.Pods),
		claims: pointers(o.Claims), events: pointers(o.Events), fresh: map[types.UID]bool{},
	}
	for _, e := range s.events {
		s.fresh[e.UID] = now.Sub(kube.LastSeen(e)) < newsworthy
	}
	var out []*Failure
	for _, p := range s.problems() {
		p.Events = s.eventsOf(p.uid)
		out = append(out, &p.Failure)
	}
	return out
}
