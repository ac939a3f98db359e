import type { Metadata } from "next";
import { AuthForm } from "@/features/auth/components/auth-form";
import { safeNext } from "@/lib/safe-next";

export const metadata: Metadata = { title: "Log in" };

export default async function LoginPage({ searchParams }: PageProps<"/login">) {
  const { next, expired } = await searchParams;
  return <AuthForm mode="login" next={safeNext(next)} expired={expired !== undefined} />;
}
