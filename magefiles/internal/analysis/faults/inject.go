package faults

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/app"
)

// down takes the backend's pods out of service: none is ready, and the rollout is not done.
func down(s *analysis.Snapshot, then func(*corev1.Pod)) {
	s.Deployments[0].Status.AvailableReplicas, s.Deployments[0].Status.ReadyReplicas = 0, 0
	for i := range s.Pods {
		p := &s.Pods[i]
		if p.Labels["app"] != app.Backend.Label() {
			continue
		}
		for j := range p.Status.Conditions {
			if p.Status.Conditions[j].Type == corev1.PodReady {
				p.Status.Conditions[j] = corev1.PodCondition{
					Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-3 * time.Minute)),
				}
			}
		}
		p.Status.ContainerStatuses[0].Ready = false
		then(p)
	}
}

func waits(reason, text string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		down(s, func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: text}}
		})
	}
}

func ends(code int32, reason, text string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		down(s, func(p *corev1.Pod) {
			c := &p.Status.ContainerStatuses[0]
			c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
			c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
				ExitCode: code, Reason: reason, Message: text, FinishedAt: metav1.NewTime(now.Add(-time.Minute)),
			}
			c.RestartCount = 4
			s.Events = append(s.Events, event(p, "Warning", "BackOff", "Back-off restarting failed container", now))
		})
	}
}

// says adds a line to the logs of the backend's pods.
func says(inject func(*analysis.Snapshot), line string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		inject(s)
		logLine(s, app.Backend, line, 1)
	}
}

// repeats lets pods that are ready go on saying something.
func repeats(service app.Service, line string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) { logLine(s, service, line, 5) }
}

func logLine(s *analysis.Snapshot, service app.Service, line string, times int) {
	for i := range s.Logs {
		for n := range times {
			if s.Logs[i].Container == service.Name {
				s.Logs[i].Lines = append(s.Logs[i].Lines, analysis.Line{Time: now.Add(-time.Duration(times-n) * 10 * time.Second), Text: line})
			}
		}
	}
}

func unready(text string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		down(s, func(p *corev1.Pod) { s.Events = append(s.Events, event(p, "Warning", "Unhealthy", text, now)) })
	}
}

func slowStart(s *analysis.Snapshot) {
	s.Deployments[0].Spec.Template.Spec.Containers[0].StartupProbe = nil
	ends(137, "Error", "")(s)
	for i := range s.Pods {
		if p := &s.Pods[i]; p.Labels["app"] == app.Backend.Label() {
			p.Spec.Containers[0].StartupProbe = nil
			s.Events = append(s.Events, event(p, "Normal", "Killing", "Container backend failed liveness probe, will be restarted", now),
				event(p, "Warning", "Unhealthy", "Liveness probe failed: connection refused", now))
		}
	}
}

func unschedulable(text string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		down(s, func(p *corev1.Pod) {
			p.Spec.NodeName, p.Status.Phase, p.Status.ContainerStatuses = "", corev1.PodPending, []corev1.ContainerStatus{{}}
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: text}}
		})
	}
}

// stays keeps the backend's pods from being set up.
func stays(reason, text string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		down(s, func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}
			s.Events = append(s.Events, event(p, "Warning", reason, text, now))
		})
	}
}

func refused(text string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		d := &s.Deployments[0]
		d.Status.AvailableReplicas, d.Status.UpdatedReplicas, d.Status.Replicas = 0, 0, 0
		d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: text}}
		var rest []corev1.Pod
		for _, p := range s.Pods {
			if p.Labels["app"] != app.Backend.Label() {
				rest = append(rest, p)
			}
		}
		s.Pods = rest
	}
}

// egress adds a policy that holds the backend's pods to one rule.
func egress(s *analysis.Snapshot, rule networkingv1.NetworkPolicyEgressRule) {
	s.NetworkPolicies = append(s.NetworkPolicies, networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "closed"}, Spec: networkingv1.NetworkPolicySpec{
		PodSelector: metav1.LabelSelector{MatchLabels: selector(app.Backend)}, PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		Egress: []networkingv1.NetworkPolicyEgressRule{rule}}})
}

func autoscaler(kind autoscalingv2.HorizontalPodAutoscalerConditionType, status corev1.ConditionStatus, reason string) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		s.Autoscalers = append(s.Autoscalers, autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: app.Backend.Name},
			Spec: autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Name: app.Backend.Name}, MaxReplicas: 6},
			Status: autoscalingv2.HorizontalPodAutoscalerStatus{Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{
				{Type: kind, Status: status, Reason: reason, Message: "the HPA says why"}}}})
	}
}

// requests lets a tenth of the backend's answers have a status and take so many milliseconds.
func requests(status, milliseconds int) func(*analysis.Snapshot) {
	return func(s *analysis.Snapshot) {
		logLine(s, app.Backend, strings.TrimSpace(fmt.Sprintf(`{"level":"INFO","message":"GET /api/tasks","path":"/api/tasks","method":"GET","status":%d,"duration_ms":%d.0}`, status, milliseconds)), 6)
	}
}
