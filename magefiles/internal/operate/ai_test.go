package operate

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// open makes a session with a cluster that is nothing but what its API server says, and gives what the session prints.
func open(client kubernetes.Interface, cfg config.Config) (session.Cluster, *bytes.Buffer) {
	var out bytes.Buffer
	cfg.Namespace = "todo"
	return session.Cluster{Engine: session.Engine{Session: session.New(&cfg, ui.Plain(&out))}, Client: client}, &out
}

func backendDeployment() *appsv1.Deployment {
	two := int32(2)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: "backend", Labels: map[string]string{"app.kubernetes.io/instance": config.ReleaseName}},
		Spec: appsv1.DeploymentSpec{Replicas: &two, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "backend", Image: "todo-backend:1f", Env: []corev1.EnvVar{{Name: "X", Value: "hidden-value"}},
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")}},
		}}}}},
		Status: appsv1.DeploymentStatus{Replicas: 2, ReadyReplicas: 1, UpdatedReplicas: 2, AvailableReplicas: 1},
	}
}

func TestAssistantReadsTheNamespaceAndNoSecret(t *testing.T) {
	client := fake.NewClientset(backendDeployment(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: secrets.Name},
		Data: map[string][]byte{secrets.DatabaseURL: []byte("mysql://a-password-of-somebody")}})
	s, out := open(client, config.Config{})
	text, err := operations{Cluster: s}.Read(t.Context(), ai.Call{Tool: ai.Deployments})
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^backend +2 +1 +2 +- +512Mi +todo-backend:1f$`, text)
	assert.NotContains(t, text, "hidden-value", "nor what its variables hold")
	text, err = operations{Cluster: s}.Read(t.Context(), ai.Call{Tool: ai.Diagnosis, Service: "backend"})
	require.NoError(t, err)
	assert.Contains(t, text, "backend is not as it should be: 1 of 2 pods are ready")
	text, err = operations{Cluster: s}.Read(t.Context(), ai.Call{Tool: ai.Diagnosis})
	require.NoError(t, err)
	assert.Contains(t, text, "[secret-shape/secret/app-secrets.DATABASE_URL] key DATABASE_URL of Secret app-secrets is no address that begins with postgresql:// (certain)")
	assert.NotContains(t, text, "a-password-of-somebody", "of a Secret nothing but its shape")
	assert.Empty(t, out.String(), "it is for the assistant to say")
	for _, action := range client.Actions() {
		assert.Contains(t, []string{"list", "get"}, action.GetVerb(), "it only looks")
	}
	_, err = operations{Cluster: s}.Read(t.Context(), ai.Call{Tool: "secrets"})
	assert.Error(t, err)
	assert.Error(t, operations{Cluster: s}.Change(t.Context(), ai.Call{Tool: "delete"}))
}

func TestAChangeIsTriedBeforeAnybodyIsAsked(t *testing.T) {
	client := fake.NewClientset(backendDeployment())
	client.PrependReactor("get", "deployments", func(a clienttest.Action) (bool, runtime.Object, error) {
		return a.GetSubresource() == "scale", &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 2}}, nil
	})
	var dry [][]string
	client.PrependReactor("patch", "deployments", func(a clienttest.Action) (bool, runtime.Object, error) {
		dry = append(dry, a.(clienttest.PatchActionImpl).PatchOptions.DryRun)
		after := backendDeployment()
		after.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
		return true, after, nil
	})
	s, _ := open(client, config.Config{})
	diff, err := operations{Cluster: s}.Preview(t.Context(), ai.Call{Tool: ai.Scale, Service: "backend", Number: 3})
	require.NoError(t, err)
	assert.Contains(t, diff, "-  replicas: 2\n+  replicas: 3\n")
	diff, err = operations{Cluster: s}.Preview(t.Context(), ai.Call{Tool: ai.Restart, Service: "backend"})
	require.NoError(t, err)
	assert.Contains(t, diff, "+  kubectl.kubernetes.io/restartedAt: now")
	assert.Equal(t, [][]string{{"All"}, {"All"}}, dry, "the API server changes nothing for it")

	client.PrependReactor("patch", "deployments", func(clienttest.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("denied by a policy")
	})
	_, err = operations{Cluster: s}.Preview(t.Context(), ai.Call{Tool: ai.Scale, Service: "backend", Number: 3})
	assert.ErrorContains(t, err, "denied by a policy")
}

func TestAnswersHoldNoSecretOfTheSettingsOrTheCluster(t *testing.T) {
	client := fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: secrets.Name}, Data: map[string][]byte{
		secrets.JWTSecret: []byte("generated-key"), secrets.DatabaseURL: []byte("postgresql://todo:generated-password@postgres/todo")}})
	s, _ := open(client, config.Config{OpenAIKey: "configured-key"})
	known, err := knownSecrets(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, strings.Repeat("(left out) ", 3), known.Hide("generated-key generated-password configured-key "))
	s, _ = open(fake.NewClientset(), config.Config{})
	_, err = knownSecrets(t.Context(), s)
	require.NoError(t, err, "before the first deploy there are none")
}

// kubectl-ai is a script here that tells how it was called.
func TestKubectlAIHasAFolderAndAnEnvironmentOfItsOwn(t *testing.T) {
	if !run.Confines() {
		t.Skip("this kernel cannot confine a process")
	}
	bin, dir := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\nprintf '%s|' \"$@\"\necho\nenv | sort\ncat " + bin + "/kubeconfig\n"
	for _, name := range []string{"kubectl-ai", "kubectl"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755))
	}
	own := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(own, []byte("the admin's"), 0o600))
	t.Setenv("KUBECONFIG", own)
	s, out := open(nil, config.Config{OpenAIKey: "the-key", OpenAIBaseURL: "http://127.0.0.1:1/v1"})
	c := kubectlAICommand(s.Session, programs{filepath.Join(bin, "kubectl-ai"), filepath.Join(bin, "kubectl")}, &rest.Config{Host: "https://127.0.0.1:6443"}, dir, `why; $(id) "so"?`, false)
	_, err := run.Exec{}.Run(t.Context(), c)
	require.Error(t, err, "there is no kubeconfig in that folder")
	assert.Contains(t, out.String(), `--quiet|--kubeconfig|`+dir+`/kubeconfig|--trace-path|`+dir+`/trace.txt|--llm-provider|openai|--model|gpt-5-mini|--|`+
		`In namespace todo: why; $(id) "so"?|`+"\n", "one argument, not read by a shell")
	assert.Contains(t, out.String(), "\nKUBECONFIG="+dir+"/kubeconfig\n")
	assert.NotContains(t, out.String(), own)
	assert.NotContains(t, strings.Join(c.Args, " "), "the-key")
	assert.NotContains(t, strings.Join(c.Args, " "), "--skip-permissions")
	assert.Equal(t, []int{53, 1, 6443}, c.Confine.Ports[:3])

	c.Name, c.Args = "cat", []string{own}
	_, err = run.Exec{}.Run(t.Context(), c)
	assert.ErrorContains(t, err, "Permission denied", "nor is a file of the person's to be had")
	c = kubectlAICommand(s.Session, programs{"kubectl-ai", "kubectl"}, &rest.Config{}, dir, "scale the backend to 3", true)
	assert.Contains(t, c.Args, "--skip-permissions")
}

func TestKubectlAIIsRefusedBeforeAnythingIsBuilt(t *testing.T) {
	for question, want := range map[string]string{
		"why is the backend slow?": "no change is asked for",
		"roll back to revision 2":  "cannot roll back",
		"scale the backend":        "to how many pods",
	} {
		s, _ := open(nil, config.Config{OpenAIKey: "the-key"})
		err := KubectlAI(t.Context(), s.Session, question, true)
		assert.ErrorContains(t, err, want)
		assert.Equal(t, fault.CodeInput, fault.Code(err))
	}
	s, _ := open(nil, config.Config{})
	assert.ErrorContains(t, KubectlAI(t.Context(), s.Session, "why?", false), "needs a model")
}

func TestAPersonsOwnKubectlAIIsUsedWhereItIsNewer(t *testing.T) {
	assert.True(t, newer("0.0.26", "0.0.25"))
	assert.False(t, newer("0.0.25", "0.0.25"))
	assert.False(t, newer("dev", "0.0.25"), "somebody's own build")
	assert.False(t, newer("", "0.0.25"))
}

func TestKubectlAIThatHasAnsweredAndStaysIsEnded(t *testing.T) {
	dir := t.TempDir()
	stays := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kubectl-ai.log"), []byte("I1125 04:39:12 conversation.go:338] \"RunOnce mode, exiting agent loop\"\n"), 0o600))
	require.NoError(t, untilAnswered(t.Context(), dir, stays))
	failed := errors.New("exit status 1")
	assert.ErrorIs(t, untilAnswered(t.Context(), dir, func(context.Context) error { return failed }), failed)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, untilAnswered(stopped, t.TempDir(), stays), context.Canceled)
}
