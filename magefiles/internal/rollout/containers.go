package rollout

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"todo.local/magefiles/internal/words"
)

// containerProblem is about one container.
func (s state) containerProblem(p *corev1.Pod, c corev1.ContainerStatus, init bool) *problem {
	if c.State.Waiting != nil && c.State.Waiting.Reason != crashLoop {
		return s.waitingProblem(p, c)
	}
	if c.State.Running != nil && !init {
		return s.probeProblem(p, c)
	}
	ended := c.State.Terminated
	if ended == nil {
		ended = c.LastTerminationState.Terminated
	}
	if ended == nil || ended.ExitCode == 0 && init || ended.Reason == lost {
		return nil
	}
	return s.crash(p, c, ended, init)
}

const (
	crashLoop = "CrashLoopBackOff" // the kubelet's word for a container that failed at least twice
	lost      = "Unknown"          // containerd's for one that went away with its node, and is started again
)

// pullReasons are the kubelet's words for a pull that failed.
var pullReasons = []string{"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"}

// waitingProblem is about a container that has not started, or nil where it is on its way, maybe again: all end when
// their node is restarted.
func (s state) waitingProblem(p *corev1.Pod, c corev1.ContainerStatus) *problem {
	w := c.State.Waiting
	found := problem{Failure: Failure{Container: c.Name, Reason: words.Short(words.OneLine(w.Message), 300)}}
	if slices.Contains(pullReasons, w.Reason) {
		said, tried := s.pullFailure(p, c)
		found.Kind = Image
		found.Reason = fmt.Sprintf("image %s cannot be pulled: %s", specOf(p, c.Name).Image, words.Short(noise.ReplaceAllString(said, ""), 300))
		found.outlook = foresee(said, pullMends, pullStuck, unsure)
		if found.outlook == unsure && tried >= pullAttempts {
			found.outlook = stuck
		}
		return &found
	}
	switch w.Reason {
	case "InvalidImageName", "ErrImageNeverPull", "SignatureValidationFailed":
		found.Kind, found.Reason = Image, fmt.Sprintf("image %s cannot be used: %s", specOf(p, c.Name).Image, found.Reason)
	case "CreateContainerConfigError":
		found.Kind, found.outlook = Config, foresee(w.Message, nil, nil, stuck)
	case "CreateContainerError", "RunContainerError", "PreStartHookError", "PostStartHookError":
		found.Kind, found.outlook = Start, foresee(w.Message, startMends, nil, unsure)
		found.Reason = w.Reason + ": " + found.Reason
	default:
		return nil
	}
	return &found
}

// crash is about a container that ended. One failure may have been bad luck: what counts is a second one, or that the
// second attempt takes long.
func (s state) crash(p *corev1.Pod, c corev1.ContainerStatus, ended *corev1.ContainerStateTerminated, init bool) *problem {
	found := problem{outlook: unsure}
	found.Kind, found.Container, found.Reason = Crash, c.Name, fmt.Sprintf("ends with exit code %d", ended.ExitCode)
	if c.State.Waiting != nil {
		found.outlook = stuck
	}
	killed := s.killedByProbe(p, c.Name)
	switch {
	case ended.Reason == "OOMKilled":
		found.Kind = Memory
		limits := specOf(p, c.Name).Resources.Limits
		found.Reason = "was killed for using more memory than its limit of " + limits.Memory().String()
		return &found
	case ended.Reason == "StartError", ended.Reason == "ContainerCannotRun":
		found.Kind = Start
		found.Reason = "cannot be started: " + words.Short(words.OneLine(ended.Message), 300)
		return &found
	case init:
		found.Kind = Init
	case killed != "":
		found.Kind = Probe
		found.Reason = "was restarted for not answering: " + killed
	}
	if s.aheadOfData(p, ended) {
		found.outlook = mends
	}
	return &found
}

// aheadOfData tells whether a container ended before what keeps the release's data was ready. It may have ended for
// that alone, and is started again.
func (s state) aheadOfData(p *corev1.Pod, ended *corev1.ContainerStateTerminated) bool {
	for _, w := range s.workloads() {
		if !w.stateful || w.mine(p) {
			continue
		}
		if !w.done {
			return true
		}
		for _, data := range s.podsOf(w) {
			if ended.FinishedAt.Time.Before(readySince(data)) {
				return true
			}
		}
	}
	return false
}

// readySince is when a pod became ready.
func readySince(p *corev1.Pod) time.Time {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// probeProblem is about a container that runs. One that starts gets the time that its startup probe gives it; if it was
// ended for not making use of that, it is no longer expected to. One that has started is expected to become ready.
func (s state) probeProblem(p *corev1.Pod, c corev1.ContainerStatus) *problem {
	found := problem{yields: true}
	found.Kind, found.Container = Probe, c.Name
	if c.Started == nil || !*c.Started {
		ended, answer := c.LastTerminationState.Terminated, s.killedByProbe(p, c.Name)
		if c.RestartCount == 0 || answer == "" || ended != nil && s.aheadOfData(p, ended) {
			return nil
		}
		found.yields = false
		found.Reason = "was restarted for not answering: " + answer
		return &found
	}
	for _, e := range slices.Backward(s.about(p.UID)) {
		if e.Reason == "Unhealthy" && concerns(e, c.Name) && !strings.HasPrefix(e.Message, "Startup") {
			found.outlook = foreseeReadiness(e.Message)
			found.Reason = "runs but is not ready: " + words.Short(words.OneLine(e.Message), 200)
			return &found
		}
	}
	return nil
}

// concerns tells whether a pod's event is about one of its containers.
func concerns(e *corev1.Event, container string) bool {
	return strings.HasSuffix(e.InvolvedObject.FieldPath, "{"+container+"}")
}

// killedByProbe gives what the kubelet says of a probe for which it ended a container, or nothing.
func (s state) killedByProbe(p *corev1.Pod, container string) string {
	events := s.about(p.UID)
	killed := slices.ContainsFunc(events, func(e *corev1.Event) bool {
		return e.Reason == "Killing" && concerns(e, container) && strings.Contains(e.Message, "probe")
	})
	if !killed {
		return ""
	}
	for _, e := range slices.Backward(events) {
		if e.Reason == "Unhealthy" && concerns(e, container) {
			return words.Short(words.OneLine(e.Message), 200)
		}
	}
	return "its probe failed"
}

var (
	// backOff is how the kubelet waits for the next pull. Since version 1.32 the cause of the last one follows.
	backOff = regexp.MustCompile(`^Back-off pulling image "[^"]*"(: ErrImagePull)?(: )?`)
	// noise is what adds nothing to what a registry said.
	noise = regexp.MustCompile(`rpc error: code = \w+ desc = |failed to pull and unpack image "[^"]*": |^Failed to pull image "[^"]*": `)
	// variable is what differs from one failed pull to the next that fails alike: ports, times, names of requests.
	variable = regexp.MustCompile(`\d+|\b[0-9a-f]{8,}(-[0-9a-f]+)*\b`)
)

// pullCause gives what a runtime said of the pull that a container waits for. While the kubelet waits for the next
// attempt it may tell nothing.
func pullCause(w *corev1.ContainerStateWaiting) string {
	if w == nil || !slices.Contains(pullReasons, w.Reason) {
		return ""
	}
	return words.OneLine(backOff.ReplaceAllString(w.Message, ""))
}

// pullFailure gives what was last said of a container's pull, and how often one ended so. The kubelet soon leaves out
// events that come too often, and what was seen of its status counts before them.
func (s state) pullFailure(p *corev1.Pod, c corev1.ContainerStatus) (said string, tried int) {
	pulls := slices.DeleteFunc(s.about(p.UID), func(e *corev1.Event) bool {
		return e.Reason != "Failed" || !concerns(e, c.Name) || !strings.HasPrefix(e.Message, "Failed to pull image")
	})
	latest := ""
	if len(pulls) > 0 {
		latest = words.OneLine(pulls[len(pulls)-1].Message)
	}
	said = cmp.Or(pullCause(c.State.Waiting), s.causes[causeKey(p, c.Name)], latest, words.OneLine(c.State.Waiting.Message))
	alike := func(message string) string {
		return variable.ReplaceAllString(noise.ReplaceAllString(words.OneLine(message), ""), "#")
	}
	return said, attempts(pulls, func(e *corev1.Event) bool { return alike(e.Message) == alike(said) })
}

// causeKey names a container of a pod.
func causeKey(p *corev1.Pod, container string) string { return string(p.UID) + "/" + container }

// specOf is what was asked for of a container.
func specOf(p *corev1.Pod, container string) corev1.Container {
	for _, c := range append(slices.Clone(p.Spec.InitContainers), p.Spec.Containers...) {
		if c.Name == container {
			return c
		}
	}
	return corev1.Container{}
}
