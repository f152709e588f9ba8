"""An issuer of tokens: a user pool in the emulator's Cognito."""

from dataclasses import dataclass

from local.deployed.settings import REGION
from local.deployed.stack import DeployedStack

PASSWORD = "Correct-horse-7"


@dataclass(frozen=True)
class Issuer:
    """What the stack's parameters JwtIssuer and JwtAudience are to hold, and a user's token."""

    url: str
    audience: str
    token: str


def issuer(stack: DeployedStack) -> Issuer:
    """Make a user pool with one user, who logs in."""
    cognito = stack.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="people", ExplicitAuthFlows=flows)
    client = made["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="ada")
    cognito.admin_set_user_password(UserPoolId=pool, Username="ada", Password=PASSWORD, Permanent=True)
    login = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    answer = cognito.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=login)
    url = f"https://cognito-idp.{REGION}.amazonaws.com/{pool}"
    return Issuer(url, client, answer["AuthenticationResult"]["IdToken"])
