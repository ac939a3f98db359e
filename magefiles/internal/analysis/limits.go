package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// scaling finds autoscalers that do not see what they go by, and those that may not go further.
func scaling(s *Snapshot) []Finding {
	var out []Finding
	for _, h := range s.Autoscalers {
		object := "horizontalpodautoscaler/" + h.Name
		for _, c := range h.Status.Conditions {
			evidence := Evidence{Object: object, Field: fmt.Sprintf("condition %s=%s: %s: %s", c.Type, c.Status, c.Reason, quote(c.Message))}
			switch {
			case c.Type == autoscalingv2.ScalingActive && c.Status == corev1.ConditionFalse && c.Reason != "ScalingDisabled":
				out = append(out, found(NoMetrics, object, "the autoscaler of "+h.Spec.ScaleTargetRef.Name+" gets no figures and does not scale: "+c.Reason, Certain, "", evidence))
			case c.Type == autoscalingv2.ScalingLimited && c.Status == corev1.ConditionTrue && c.Reason == "TooManyReplicas":
				out = append(out, found(AtLimit, object, fmt.Sprintf("%s would need more than the %d pods that its autoscaler may make", h.Spec.ScaleTargetRef.Name, h.Spec.MaxReplicas), Certain, "", evidence))
			}
		}
	}
	return out
}

// disruptions finds budgets that would let no pod go although all are well: a node with one cannot be drained.
func disruptions(s *Snapshot) []Finding {
	var out []Finding
	for _, b := range s.Budgets {
		st := b.Status
		if st.ExpectedPods == 0 || st.DisruptionsAllowed > 0 || st.CurrentHealthy < st.ExpectedPods {
			continue
		}
		object := "poddisruptionbudget/" + b.Name
		out = append(out, found(BlocksNode, object, "the disruption budget "+b.Name+" lets no pod go: its node cannot be drained", Certain, "",
			Evidence{Object: object, Field: fmt.Sprintf("status: disruptionsAllowed 0, desiredHealthy %d, currentHealthy %d of %d", st.DesiredHealthy, st.CurrentHealthy, st.ExpectedPods)}))
	}
	return out
}

// quotas finds those that are used up, or nearly.
func quotas(s *Snapshot) []Finding {
	var out []Finding
	for _, q := range s.Quotas {
		for _, name := range slices.Sorted(maps.Keys(q.Status.Hard)) {
			hard, used := q.Status.Hard[name], q.Status.Used[name]
			if hard.IsZero() || used.AsApproximateFloat64() < 0.9*hard.AsApproximateFloat64() {
				continue
			}
			object := "resourcequota/" + q.Name
			out = append(out, found(QuotaNear, object, fmt.Sprintf("of %s, %s of the %s that quota %s allows are used: more pods may be refused", name, used.String(), hard.String(), q.Name), Certain,
				"kubectl edit resourcequota "+q.Name+"   (or fewer pods: go tool mage scale backend 1)",
				Evidence{Object: object, Field: fmt.Sprintf("status.used.%s: %s of %s", name, used.String(), hard.String())}))
			break
		}
	}
	return out
}

// patience is how long what others do may take before it is conspicuous.
const patience = 2 * time.Minute

// claims finds volumes that are not there after a while.
func claims(s *Snapshot) []Finding {
	var out []Finding
	for _, c := range s.Claims {
		object := "persistentvolumeclaim/" + c.Name
		switch {
		case c.Status.Phase == corev1.ClaimLost:
			out = append(out, found(Pending, object, "the volume of claim "+c.Name+" is lost, with its data", Certain, "restore the volume, or begin anew: go tool mage cluster:delete deploy",
				Evidence{Object: object, Field: "status.phase: Lost"}))
		case c.Status.Phase == corev1.ClaimPending && s.Now.Sub(c.CreationTimestamp.Time) > patience:
			class := "the default"
			if c.Spec.StorageClassName != nil {
				class = *c.Spec.StorageClassName
			}
			evidence := []Evidence{{Object: object, Field: "status.phase: Pending; storage class: " + class}}
			for _, e := range s.Events {
				if e.InvolvedObject.UID == c.UID && len(evidence) < 3 {
					evidence = append(evidence, Evidence{Object: object, Event: quote(e.Reason + ": " + e.Message)})
				}
			}
			out = append(out, found(Pending, object, "claim "+c.Name+" has no volume", Certain, "kubectl get storageclasses   (the class has to exist and its provisioner to run)", evidence...))
		}
	}
	return out
}

// finalizers finds what is being deleted and does not go, as nobody does what has to be done first.
func finalizers(s *Snapshot) []Finding {
	var out []Finding
	look := func(object string, m *metav1.ObjectMeta) {
		if m.DeletionTimestamp == nil || len(m.Finalizers) == 0 || s.Now.Sub(m.DeletionTimestamp.Time) < patience {
			return
		}
		out = append(out, found(Finalizer, object, fmt.Sprintf("%s is being deleted since %s and waits for finalizer %s", object, m.DeletionTimestamp.UTC().Format(time.TimeOnly), m.Finalizers[0]), Certain,
			fmt.Sprintf("kubectl patch %s --type=merge -p '{\"metadata\":{\"finalizers\":null}}'   (where whoever set it is gone)", strings.Replace(object, "/", " ", 1)),
			Evidence{Object: object, Field: "metadata.finalizers: " + strings.Join(m.Finalizers, ", ")},
			Evidence{Object: object, Field: "metadata.deletionTimestamp: " + m.DeletionTimestamp.UTC().Format(time.RFC3339)}))
	}
	for i := range s.Pods {
		look("pod/"+s.Pods[i].Name, &s.Pods[i].ObjectMeta)
	}
	for i := range s.Claims {
		look("persistentvolumeclaim/"+s.Claims[i].Name, &s.Claims[i].ObjectMeta)
	}
	for i := range s.Deployments {
		look("deployment/"+s.Deployments[i].Name, &s.Deployments[i].ObjectMeta)
	}
	for i := range s.Services {
		look("service/"+s.Services[i].Name, &s.Services[i].ObjectMeta)
	}
	for i := range s.ConfigMaps {
		look("configmap/"+s.ConfigMaps[i].Name, &s.ConfigMaps[i].ObjectMeta)
	}
	if s.NamespaceEnds {
		out = append(out, found(Finalizer, "namespace/"+s.Namespace, "namespace "+s.Namespace+" is being deleted: nothing new can be made in it", Certain,
			"kubectl get namespace "+s.Namespace+" -o yaml   (its conditions name what it waits for); then: go tool mage deploy",
			Evidence{Object: "namespace/" + s.Namespace, Field: "status.phase: Terminating"}))
	}
	return out
}

// nodes finds those that are down, under pressure or closed for pods.
func nodes(s *Snapshot) []Finding {
	var out []Finding
	for _, n := range s.Nodes {
		object := "node/" + n.Name
		for _, c := range n.Status.Conditions {
			evidence := Evidence{Object: object, Field: fmt.Sprintf("condition %s=%s: %s: %s", c.Type, c.Status, c.Reason, quote(c.Message))}
			pressed := c.Status == corev1.ConditionTrue
			switch {
			case c.Type == corev1.NodeReady && !pressed:
				out = append(out, found(NodeDown, object, "node "+n.Name+" is not ready: "+c.Reason, Certain, "", evidence))
			case c.Type == corev1.NodeDiskPressure && pressed:
				out = append(out, found(DiskFull, object, "the disk of node "+n.Name+" is full", Certain, "", evidence))
			case (c.Type == corev1.NodeMemoryPressure || c.Type == corev1.NodePIDPressure) && pressed:
				out = append(out, found(NodePressure, object, fmt.Sprintf("node %s is under %s", n.Name, c.Type), Certain, "free memory on this machine: free -h; then: go tool mage status", evidence))
			}
		}
		if n.Spec.Unschedulable {
			out = append(out, found(Cordoned, object, "node "+n.Name+" takes no new pods: it is cordoned", Certain, "kubectl uncordon "+n.Name, Evidence{Object: object, Field: "spec.unschedulable: true"}))
		}
	}
	return out
}

// near is the share of a limit from which on it is nearly used up.
const near = 0.9

// usage finds containers that use nearly all that they may.
func usage(s *Snapshot) []Finding {
	var out []Finding
	for i := range s.Pods {
		p := &s.Pods[i]
		for _, c := range p.Spec.Containers {
			used := s.Usage[p.Name+"/"+c.Name]
			for _, r := range []struct {
				name corev1.ResourceName
				kind Kind
			}{{corev1.ResourceMemory, MemoryNear}, {corev1.ResourceCPU, CPUNear}} {
				limit, u := c.Resources.Limits[r.name], used[r.name]
				if limit.IsZero() || u.AsApproximateFloat64() < near*limit.AsApproximateFloat64() {
					continue
				}
				share := 100 * u.AsApproximateFloat64() / limit.AsApproximateFloat64()
				out = append(out, found(r.kind, "pod/"+p.Name, fmt.Sprintf("container %s uses %.0f %% of its limit of %s %s", c.Name, share, r.name, limit.String()), Certain, "",
					Evidence{Object: container("pod/"+p.Name, c.Name), Field: fmt.Sprintf("usage.%s: %s of %s", r.name, u.String(), limit.String())}))
			}
		}
	}
	return out
}
