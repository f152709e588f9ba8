"""The steps of a local deployment, in their order."""

from local.deployed import emulator, first_prediction, image, sam
from local.deployed.api import Api
from local.deployed.home import DeployedHome, Deployment
from local.deployed.machines.tunnel import tunnel
from local.deployed.mlflow import Mlflow
from local.deployed.settings import DeployedSettings
from local.deployed.stack import DeployedStack
from local.deployed.summary import summary
from local.stack.screen import Screen
from local.stack.signals import Interrupts
from local.testbed.docker import create_network
from prediction_api.api_keys import digest_of, new_key

# A parameter of the template, beside the key's digest: with it, the training worker is part of what is deployed.
PARAMETERS = {"TrainingJobs": "true"}


def deploy(home: DeployedHome, settings: DeployedSettings, screen: Screen, interrupts: Interrupts) -> str:
    """Deploy the stack, and send a prediction through it; return what to tell the user, as markup.

    Raises CommandRefused, ServiceFailed or Interrupted.
    """
    deployment = home.deployment() or start(home, settings, screen, interrupts)
    parameters = {"ApiKeyDigests": digest_of(deployment.api_key), **PARAMETERS}
    screen.waiting(["sam deploy"])
    sam.deploy(home, deployment, settings.deployed_template, parameters, screen.step)
    screen.waiting([])
    interrupts.check()
    stack = DeployedStack(deployment)
    screen.step(f"the stack is deployed: {stack.status}")
    return _first_trace(home, stack, screen, interrupts)


def start(home: DeployedHome, settings: DeployedSettings, screen: Screen, interrupts: Interrupts) -> Deployment:
    """Start an emulator in a network of its own. Raises as `deploy`."""
    image.build()
    screen.step(f"the image of the functions is there: {image.IMAGE}")
    interrupts.check()
    gateway = create_network(home.network)
    deployment = Deployment(home.network, gateway, settings.deployed_full, new_key())
    home.save(deployment)
    emulator.start(home, deployment, interrupts)
    screen.step(f"the emulator of AWS answers at {deployment.endpoint}, for this machine and its containers alone")
    return deployment


def _first_trace(home: DeployedHome, stack: DeployedStack, screen: Screen, interrupts: Interrupts) -> str:
    deployment = stack.deployment
    mlflow = Mlflow(tunnel(deployment.network), *stack.login("MlflowAdminSecret"))
    screen.waiting(["a first model"])
    first_prediction.train(stack, mlflow, home.logs / "train.log")
    screen.step("a first model is registered; the model sync publishes it within a minute")
    api = Api(stack.api_url, deployment.api_key)
    screen.waiting(["a prediction"])
    trace_id = first_prediction.predict(api, interrupts)
    screen.step(f"a prediction was answered: trace {trace_id}")
    screen.waiting(["its trace"])
    link = first_prediction.await_link(mlflow, trace_id, interrupts)
    screen.waiting([])
    return summary(stack.outputs(), api, mlflow, deployment.endpoint, link)
